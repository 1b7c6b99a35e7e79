// SPDX-License-Identifier: Apache-2.0
package dev.motley.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.motley.InvalidInputException;
import java.io.ByteArrayInputStream;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class PartsTest {

  @Test
  void htmlRefusesTagsThatDoNotMatch() {
    assertThatThrownBy(() -> new Html().open("p").close("div"))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> new Html().open("p").finish())
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> new Html().open("p", "class"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void picturesKeepTheirPixels() throws Exception {
    byte[] rgb = {(byte) 255, 0, 1, 2, (byte) 128, 3};
    Picture picture = Picture.rgb(2, 1, rgb);
    byte[] png = Base64.getDecoder().decode(picture.dataUri().split(",")[1]);
    var image = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(image.getRGB(0, 0)).isEqualTo(0xFFFF0001);
    assertThat(image.getRGB(1, 0)).isEqualTo(0xFF028003);
    Picture again = Picture.png(png);
    assertThat(again.width()).isEqualTo(2);
    assertThat(again.height()).isEqualTo(1);
    assertThat(again.dataUri()).isEqualTo(picture.dataUri());
  }

  @Test
  void picturesOfTheWrongSizeOrKindAreRefused() {
    assertThatThrownBy(() -> Picture.rgb(2, 2, new byte[11]))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("11 bytes for a picture of 2 x 2: expected height x width x 3");
    assertThatThrownBy(() -> Picture.png("<svg/>".getBytes()))
        .isInstanceOf(InvalidInputException.class);
  }

  @Test
  void numbersReadWell() {
    assertThat(Format.percent(0.66449)).isEqualTo("66.4\u202f%");
    assertThat(Format.signedPoints(-0.0004)).isEqualTo("0.0");
    assertThat(Format.signedPoints(-0.116)).isEqualTo("\u221211.6");
    assertThat(Format.guidance(7.5)).isEqualTo("7.5");
    assertThat(Format.guidance(2)).isEqualTo("2");
    assertThat(Format.guidance(3.256)).isEqualTo("3.26");
    assertThat(Format.duration(4.26)).isEqualTo("4.3\u202fs");
    assertThat(Format.duration(59.9)).isEqualTo("1\u202fmin 0\u202fs");
    assertThat(Format.duration(3725)).isEqualTo("1\u202fh 2\u202fmin");
    assertThat(Format.coordinate(100)).isEqualTo("100");
    assertThat(Format.coordinate(10.5)).isEqualTo("10.5");
    assertThat(Format.coordinate(0)).isEqualTo("0");
  }

  @Test
  void chartsTickAtRoundNumbers() {
    assertThat(LineChart.niceStep(2.4)).isEqualTo(0.5);
    assertThat(LineChart.niceStep(20)).isEqualTo(5);
    assertThat(LineChart.niceStep(200)).isEqualTo(50);
    var flat = new LineChart.Series(0, List.of(1), List.of(0.0));
    var html = new Html();
    new LineChart(List.of(flat), false).draw(html, "flat");
    assertThat(html.finish()).doesNotContain("NaN", "Infinity");
  }

  @Test
  void heatIsVisibleForTheSmallestFraction() {
    assertThat(HeatScale.cell(true, 0)).isEqualTo("r0");
    assertThat(HeatScale.cell(false, 0.001)).isEqualTo("w1");
    assertThat(HeatScale.cell(true, 1)).isEqualTo("r10");
  }
}

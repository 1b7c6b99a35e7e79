// SPDX-License-Identifier: Apache-2.0
package dev.motley.diffusion;

import dev.motley.CancelledException;
import dev.motley.MotleyException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.image.ContactSheet;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Draws what {@link PictureParameters} say, in batches, which do not change the pictures.
 *
 * @param pipeline to draw with; used by these calls alone meanwhile
 * @param batch pictures drawn together
 * @param begin the picture to begin from, in any size, where the parameters have one
 */
public record Drawing(DiffusionPipeline pipeline, int batch, Optional<RgbImage> begin) {
  /** Pixels drawn together where nobody says how many pictures: one picture of Stable Diffusion's size. */
  private static final int BATCH_PIXELS = 512 * 512;

  private static final int LARGEST_BATCH = 50;

  /** Of the picture to begin from, as Pillow's and so most programs' resizing has it. */
  private static final Resize.Filter FILTER = Resize.Filter.PIL_BICUBIC;

  /** Hears of every step, which may stop the work, and of pictures as they come. */
  @FunctionalInterface
  public interface Listener extends ProgressListener {
    /** Takes a picture that is done. */
    default void onPicture(int i, RgbImage picture) {}

    /** Whether {@link #onPreview} wants to hear of a step. */
    default boolean wantsPreview(long step) {
      return false;
    }

    /** Takes what a batch's pictures, the first of which is the given one, are going to be. */
    default void onPreview(int first, List<RgbImage> pictures) {}
  }

  /** Pictures of that size which a machine draws together without need of much memory. */
  public static int usualBatch(int width, int height) {
    return Math.clamp(BATCH_PIXELS / ((long) width * height), 1, LARGEST_BATCH);
  }

  /**
   * Draws one picture, or one sheet.
   *
   * @return at the size that it is stored in
   * @throws CancelledException if the listener stopped it
   * @throws MotleyException if it has values that are not finite
   */
  public RgbImage draw(PictureParameters p, Listener listener) {
    SamplingOptions sampling = p.sampling();
    var grid = p.grid().orElse(new PictureParameters.Grid(1, 1));
    var sheet = new ContactSheet(grid.columns(), grid.rows(), sampling.width(), sampling.height());
    draw(p.pictures(), new OnSheet(sheet, listener));
    RgbImage drawn = sheet.image();
    return p.stored().map(s -> drawn.resized(s.height(), s.width(), s.filter())).orElse(drawn);
  }

  private record OnSheet(ContactSheet sheet, Listener listener) implements Listener {
    @Override
    public boolean onProgress(Progress progress) {
      return listener.onProgress(progress);
    }

    @Override
    public void onPicture(int i, RgbImage picture) {
      sheet.put(i, picture);
      listener.onPicture(i, picture);
    }

    @Override
    public boolean wantsPreview(long step) {
      return listener.wantsPreview(step);
    }

    @Override
    public void onPreview(int first, List<RgbImage> pictures) {
      listener.onPreview(first, pictures);
    }
  }

  /**
   * Draws pictures one by one.
   *
   * @param pictures of one size, with the same number of steps; no sheets
   * @throws CancelledException if the listener stopped it
   * @throws MotleyException if one has values that are not finite
   */
  public void draw(List<PictureParameters> pictures, Listener listener) {
    SamplingOptions sampling = pictures.getFirst().sampling();
    pipeline.check(sampling);
    Optional<Latents> image =
        begin.map(
            picture -> pipeline.encode(List.of(picture.filling(sampling.height(), sampling.width(), FILTER))));
    var series = new Series(pictures.size(), sampling.steps() - sampling.firstStep(), listener);
    for (int from = 0; from < pictures.size(); from += batch) {
      int first = from;
      List<ImageRequest> requests =
          pictures.subList(from, Math.min(pictures.size(), from + batch)).stream()
              .map(PictureParameters::request)
              .map(request -> image.map(request::withImage).orElse(request))
              .toList();
      Latents latents = series.denoise(first, requests, sampling);
      Pictures drawn = pipeline.decode(latents, sampling.truncate());
      IntStream.range(0, drawn.count()).forEach(i -> listener.onPicture(first + i, finite(drawn, i, pictures.get(first + i))));
      series.report(first + drawn.count());
    }
  }

  private static RgbImage finite(Pictures drawn, int i, PictureParameters p) {
    if (drawn.quality().get(i) == Quality.NOT_FINITE) {
      throw new MotleyException("the picture of seed %d came out with values that are not finite, and was not written: are the weights sound? does --precision fp32 draw it?".formatted(p.seed()));
    }
    return new RgbImage(drawn.height(), drawn.width(), drawn.picture(i));
  }

  /** One progress over all batches, in steps of single pictures. */
  private final class Series {
    private final int count;
    private final int steps;
    private final Listener listener;

    Series(int count, int steps, Listener listener) {
      this.count = count;
      this.steps = steps;
      this.listener = listener;
    }

    Latents denoise(int first, List<ImageRequest> requests, SamplingOptions sampling) {
      boolean previews = IntStream.rangeClosed(1, steps).anyMatch(listener::wantsPreview);
      return previews
          ? pipeline.denoise(
              requests,
              sampling,
              (done, _, latents) -> {
                if (listener.wantsPreview(done) && done < steps) {
                  listener.onPreview(first, pipeline.decode(latents, sampling.truncate()).images());
                }
                return step(first, requests.size(), done);
              })
          : pipeline.denoise(requests, sampling, (ProgressListener) progress -> step(first, requests.size(), progress.done()));
    }

    /** The last step of a batch counts when its pictures are decoded. */
    private boolean step(int first, int pictures, long done) {
      String which = pictures == 1 ? "picture " + (first + 1) : "pictures %d-%d".formatted(first + 1, first + pictures);
      long all = (long) first * steps + Math.min(done, steps - 1) * pictures;
      return listener.onProgress(progress(all, "%s of %d, step %d/%d".formatted(which, count, done, steps)));
    }

    void report(int drawn) {
      if (!listener.onProgress(progress((long) drawn * steps, "")) && drawn < count) {
        throw new CancelledException("stopped");
      }
    }

    private Progress progress(long done, String detail) {
      return new Progress("draw", done, (long) count * steps, 0, "steps", detail);
    }
  }
}

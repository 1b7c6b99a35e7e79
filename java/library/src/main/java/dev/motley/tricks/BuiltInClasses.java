// SPDX-License-Identifier: Apache-2.0
package dev.motley.tricks;

import dev.motley.config.Names;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The class lists that need no file, in the label order of the real datasets. */
final class BuiltInClasses {

  private static final String CIFAR10 =
      "airplane automobile bird cat deer dog frog horse ship truck";

  private static final String CIFAR100 =
      """
      apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
      butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
      crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
      keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
      mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
      porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
      snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
      tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
      """;

  /** torchvision's EuroSAT: the folders of {@code eurosat/2750}, sorted. */
  private static final String EUROSAT =
      "AnnualCrop Forest HerbaceousVegetation Highway Industrial Pasture PermanentCrop Residential"
          + " River SeaLake";

  /** Fashion-MNIST's labels as the embedded model was taught to say them. */
  private static final String FASHION_MNIST =
      "t-shirt trouser pullover dress coat sandal shirt sneaker bag ankle_boot";

  /** Prompt spellings of EuroSAT, in the order of {@link #EUROSAT}. */
  private static final Map<String, List<String>> EUROSAT_SPELLINGS = eurosatSpellings();

  private static final Map<String, String> FOLDERS = folders();

  private BuiltInClasses() {}

  private static Map<String, String> folders() {
    var folders = new LinkedHashMap<String, String>();
    folders.put("cifar10", CIFAR10);
    folders.put("cifar100", CIFAR100);
    folders.put("eurosat", EUROSAT);
    folders.put("fashion-mnist", FASHION_MNIST);
    return folders;
  }

  private static Map<String, List<String>> eurosatSpellings() {
    var spellings = new LinkedHashMap<String, List<String>>();
    // The headings of the paper's Table 1; its original code does not hold the names.
    spellings.put(
        "paper",
        List.of(
            "Annual Crop",
            "Forest",
            "Herbaceous Vegetation",
            "Highway",
            "Industrial",
            "Pasture",
            "Permanent Crop",
            "Residential",
            "River",
            "Sea/Lake"));
    // openai/CLIP, data/prompts.md (there in another order).
    spellings.put(
        "clip",
        List.of(
            "annual crop land",
            "forest",
            "brushland or shrubland",
            "highway or road",
            "industrial buildings or commercial buildings",
            "pasture land",
            "permanent crop land",
            "residential buildings or homes or apartments",
            "river",
            "lake or sea"));
    // DISEF and, but for singulars, He et al. (language enhancement).
    spellings.put(
        "land-use",
        List.of(
            "Annual Crop Land",
            "Forest",
            "Herbaceous Vegetation Land",
            "Highway or Road",
            "Industrial Buildings",
            "Pasture Land",
            "Permanent Crop Land",
            "Residential Buildings",
            "River",
            "Sea or Lake"));
    return spellings;
  }

  static List<String> names() {
    return List.copyOf(FOLDERS.keySet());
  }

  static ClassList named(String name) {
    Names.find("class preset", name, names(), Function.identity());
    ClassList list = ClassList.of(name, split(FOLDERS.get(name)));
    return spellings(name).isEmpty() ? list : list.withSpelling("paper");
  }

  static List<String> spellings(String list) {
    return list.equals("eurosat") ? List.copyOf(EUROSAT_SPELLINGS.keySet()) : List.of();
  }

  /** Folder spelling to prompt spelling. */
  static Map<String, String> spelling(String list, String spelling) {
    Names.find("prompt spelling of '" + list + "'", spelling, spellings(list), Function.identity());
    List<String> folders = split(FOLDERS.get(list));
    var prompts = new LinkedHashMap<String, String>();
    for (int i = 0; i < folders.size(); i++) {
      prompts.put(folders.get(i), EUROSAT_SPELLINGS.get(spelling).get(i));
    }
    return prompts;
  }

  private static List<String> split(String names) {
    return List.of(names.strip().split("\\s+"));
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.motley.train;

import dev.motley.InvalidInputException;
import dev.motley.NotFiniteException;
import dev.motley.ffi.NativeTrainer;
import dev.motley.ffi.TensorInfo;
import dev.motley.weights.SafeTensors;
import dev.motley.weights.SafeTensorsWriter;
import dev.motley.weights.SafeTensorsWriter.Source;
import dev.motley.weights.TensorView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where a training stands: one safetensors file with the network, AdamW's two moments under {@code exp_avg.NAME} and {@code
 * exp_avg_sq.NAME}, the average of the weights, where one is kept, under {@code average.NAME}, and the position as metadata. Going on from it gives the bits of an uninterrupted run.
 */
final class Checkpoint {
  private static final String KEY = "motley.position";
  private static final String FIRST_MOMENT = "exp_avg.";
  private static final String SECOND_MOMENT = "exp_avg_sq.";
  private static final String AVERAGE = "average.";

  /** What is kept beside each parameter, by its prefix. */
  private static Map<String, NativeTrainer.State> states(boolean averages) {
    var states = new LinkedHashMap<String, NativeTrainer.State>();
    states.put(FIRST_MOMENT, NativeTrainer.State.EXP_AVG);
    states.put(SECOND_MOMENT, NativeTrainer.State.EXP_AVG_SQ);
    if (averages) {
      states.put(AVERAGE, NativeTrainer.State.AVERAGE);
    }
    return states;
  }

  /**
   * The position.
   *
   * @param identity of recipe, data and classes; another identity cannot be resumed
   * @param epoch in progress
   * @param step of the epoch that comes next
   * @param steps optimizer steps so far
   * @param lossSum sum of the losses of the epoch's images so far
   * @param correct right answers among them
   * @param images images seen in the epoch
   * @param seconds spent on the epoch
   */
  record Position(
      String identity,
      int epoch,
      long step,
      long steps,
      double lossSum,
      long correct,
      long images,
      double seconds) {

    static Position start(String identity) {
      return new Position(identity, 0, 0, 0, 0, 0, 0, 0);
    }

    Position after(NativeTrainer.Outcome outcome, long imagesSeen, double secondsSpent) {
      return new Position(
          identity,
          epoch,
          step + outcome.done(),
          steps + outcome.done(),
          lossSum + outcome.lossSum(),
          correct + outcome.correct(),
          images + imagesSeen,
          seconds + secondsSpent);
    }

    Position nextEpoch() {
      return new Position(identity, epoch + 1, 0, steps, 0, 0, 0, 0);
    }
  }

  private Checkpoint() {}

  /** Bytes of its file, the header aside. */
  static long bytes(Classifier classifier, NativeTrainer trainer, boolean averages) {
    long copies = 1 + states(averages).size();
    return classifier.network().tensors().stream()
        .mapToLong(t -> (trainer.trains(t) ? copies : 1) * Math.max(Float.BYTES, t.type().bytes()) * t.elements())
        .sum();
  }

  static void write(Path file, Classifier classifier, NativeTrainer trainer, boolean averages, Position position) {
    var tensors = new ArrayList<>(classifier.tensors());
    List<TensorInfo> infos = classifier.network().tensors();
    for (int i = 0; i < infos.size(); i++) {
      int index = i;
      TensorInfo info = infos.get(i);
      if (trainer.trains(info)) {
        long[] shape = Classifier.shape(info);
        states(averages)
            .forEach(
                (prefix, state) ->
                    tensors.add(Source.ofFloats(prefix + info.name(), shape, () -> trainer.read(index, state))));
      }
    }
    Stream<Source> sound = tensors.stream().map(tensor -> finite(tensor, position));
    SafeTensorsWriter.write(file, sound, Map.of(KEY, MetadataJson.write(position)));
  }

  /** Refuses to keep what nobody can go on from: the loss tells of it a step later. */
  static Source finite(Source source, Position position) {
    return new Source(
        source.name(),
        source.dtype(),
        source.shape(),
        () -> {
          TensorView values = source.values().get();
          if (!values.isFinite()) {
            throw new NotFiniteException(
                "training failed: before epoch %d, step %d, both counted from 0: %s is not finite; a lower learning rate may help"
                    .formatted(position.epoch(), position.step(), source.name()));
          }
          return values;
        });
  }

  static Position position(Path file, SafeTensors checkpoint) {
    String text = checkpoint.metadata().get(KEY);
    if (text == null) {
      throw new InvalidInputException(file + " is no training checkpoint: no \"" + KEY + "\" in its metadata");
    }
    return MetadataJson.read(file, KEY, MetadataJson.parse(file, KEY, text), Position.class);
  }

  /** The network's own tensors of a checkpoint. */
  static List<TensorView> network(SafeTensors checkpoint) {
    return checkpoint.tensors().values().stream()
        .filter(t -> states(true).keySet().stream().noneMatch(t.name()::startsWith))
        .toList();
  }

  static void restore(
      SafeTensors checkpoint, Classifier classifier, NativeTrainer trainer, boolean averages, Position position) {
    List<TensorInfo> infos = classifier.network().tensors();
    for (int i = 0; i < infos.size(); i++) {
      if (trainer.trains(infos.get(i))) {
        String name = infos.get(i).name();
        int index = i;
        states(averages).forEach((prefix, state) -> trainer.write(index, state, checkpoint.tensor(prefix + name).toFloats()));
      }
    }
    trainer.setSteps(position.steps());
  }
}

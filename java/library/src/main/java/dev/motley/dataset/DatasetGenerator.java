// SPDX-License-Identifier: Apache-2.0
package dev.motley.dataset;

import dev.motley.CancelledException;
import dev.motley.MotleyException;
import dev.motley.Progress;
import dev.motley.ProgressListener;
import dev.motley.diffusion.Conditioning;
import dev.motley.diffusion.DiffusionPipeline;
import dev.motley.diffusion.ImageRequest;
import dev.motley.diffusion.Latents;
import dev.motley.diffusion.NoiseGenerator;
import dev.motley.diffusion.Pictures;
import dev.motley.diffusion.SamplingOptions;
import dev.motley.image.Resize;
import dev.motley.image.RgbImage;
import dev.motley.tricks.GenerationPlan;
import dev.motley.tricks.NoiseSource;
import dev.motley.tricks.PixelRounding;
import dev.motley.tricks.PlanSpec;
import dev.motley.tricks.PlannedImage;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Carries out a plan: draws its images in batches across prompts and fills a synthetic store. Decoding, encoding and writing of
 * one batch may overlap the denoising of the next. A picture that is not finite or of one colour is drawn again with the next seed,
 * and that is recorded beside it; what becomes of one that the safety checker flags, the options say.
 */
public final class DatasetGenerator implements AutoCloseable {
  private static final int MAX_ATTEMPTS = 15;
  private static final int BATCHES_IN_FLIGHT = 2;

  private final GenerationPlan plan;
  private final DiffusionPipeline pipeline;
  private final GeneratorOptions options;
  private final SamplingOptions sampling;
  private final Path folder;
  private final StoreTargets stores;
  private final PictureGate gate;
  private final Map<Integer, List<Attempt>> redone = new ConcurrentHashMap<>();
  private final Deque<Job> again = new ArrayDeque<>();
  private final ExecutorService finisher =
      Executors.newSingleThreadExecutor(task -> Thread.ofPlatform().daemon().name("motley-store").unstarted(task));
  private final Deque<Future<List<Rejected>>> inFlight = new ArrayDeque<>();

  /** Images that other stores hold, by index in the plan; filled before the finisher starts, its own from then on. */
  private final Map<Integer, Source> reusable = new HashMap<>();

  /** Indices of all images that are copied. */
  private final BitSet copied = new BitSet();

  /** The first image of the plan that is not yet in a batch. */
  private int position;

  /** Images that were denoised in this run, and how many of them are drawn again. */
  private int drawn;

  private int redrawn;

  private int nextCopy;
  private int reported = -1;

  private record Source(SyntheticStore store, StoreSlot slot) {}

  /** An image to draw, and where it stands in this plan, which may be a part of the one that its position belongs to. */
  private record Job(int index, PlannedImage image) {}

  private record Rejected(Job job, Flaw flaw) {}

  private DatasetGenerator(
      GenerationPlan plan, DiffusionPipeline pipeline, Map<Path, Resize.Filter> filters, GeneratorOptions options) {
    this.plan = plan;
    this.pipeline = pipeline;
    this.options = options;
    folder = filters.keySet().iterator().next();
    PlanSpec spec = plan.spec();
    sampling = sampling(spec);
    pipeline.check(sampling); // before anything is written
    gate = new PictureGate(options.safety(), pipeline);
    stores = new StoreTargets(plan, pipeline.modelHash(), filters, options, gate.checkerHash());
  }

  /** What the pictures of a plan have in common, for {@link DiffusionPipeline#check}. */
  public static SamplingOptions sampling(PlanSpec spec) {
    return new SamplingOptions(
        spec.width(), spec.height(), spec.sampling().steps(), spec.rounding() == PixelRounding.TRUNCATE);
  }

  /**
   * Fills the store of a plan, or goes on filling it, or finds that it is complete.
   *
   * @param plan what to draw
   * @param pipeline what to draw it with; used by this call alone meanwhile
   * @param folder of the store; made if absent, continued if it belongs to the same plan, model and options
   * @param options batch size, stored size, safety policy, stores to copy equal images from
   * @param listener hears of every batch; may stop
   * @return how many images were drawn, copied and drawn again
   * @throws MotleyException if one image comes to nothing with 16 seeds in a row; what was drawn is kept
   * @throws CancelledException if the listener stopped it; what was drawn is kept and a later call goes on
   */
  public static GenerationResult generate(
      GenerationPlan plan,
      DiffusionPipeline pipeline,
      Path folder,
      GeneratorOptions options,
      ProgressListener listener) {
    return generate(plan, pipeline, Map.of(folder, options.filter()), options, listener);
  }

  /**
   * Fills several stores at once: every image is drawn once and resized by the filter of each. They hold what they would hold if each
   * were filled by itself; from other stores nothing is copied.
   *
   * @param filters the stores, by folder, at least one; instead of the filter in {@code options}
   * @return of the first store
   * @throws MotleyException as {@link #generate(GenerationPlan, DiffusionPipeline, Path, GeneratorOptions, ProgressListener)}
   */
  public static GenerationResult generate(
      GenerationPlan plan,
      DiffusionPipeline pipeline,
      Map<Path, Resize.Filter> filters,
      GeneratorOptions options,
      ProgressListener listener) {
    try (var generator = new DatasetGenerator(plan, pipeline, filters, options)) {
      return generator.run(listener);
    }
  }

  private GenerationResult run(ProgressListener listener) {
    long start = System.nanoTime();
    int resumed = stores.nextPosition();
    findCopies(resumed);
    position = resumed;
    try {
      report(listener, resumed); // where the work begins, in time as in images
      prepareText(resumed);
      while (position < plan.size() || !again.isEmpty() || !inFlight.isEmpty()) {
        int from = position;
        List<Job> batch = nextBatch();
        if (position == from && batch.isEmpty()) {
          drain(0);
        } else {
          submit(batch, position, resumed, listener);
          drain(options.overlap() ? BATCHES_IN_FLIGHT - 1 : 0);
        }
        report(listener, resumed);
      }
    } catch (CancelledException e) {
      drain(0);
      throw new CancelledException(
          "stopped after %,d of %,d images; run the same command again to go on"
              .formatted(stores.nextPosition(), plan.size()));
    }
    SyntheticStore store = SyntheticStore.open(folder);
    return new GenerationResult(
        store.entries().size(), resumed, drawn, copied.cardinality(), redone.values().stream().mapToInt(List::size).sum(),
        (System.nanoTime() - start) / 1e9, store.safety());
  }

  /**
   * Images to draw again, then the next of the plan that are not copied; moves {@link #position} past them. Never further ahead
   * than the writer holds.
   */
  private List<Job> nextBatch() {
    var batch = new ArrayList<Job>();
    while (!again.isEmpty() && batch.size() < options.batch()) {
      batch.add(again.poll());
    }
    int limit = (int) Math.min(plan.size(), stores.nextPosition() + (long) StoreWriter.WINDOW);
    for (; position < limit && batch.size() < options.batch(); position++) {
      if (!copied.get(position)) {
        batch.add(new Job(position, plan.image(position)));
      }
    }
    return batch;
  }

  /** Tells of each number of stored images once. */
  private void report(ProgressListener listener, int resumed) {
    int stored = stores.nextPosition();
    if (stored != reported) {
      reported = stored;
      if (!listener.onProgress(progress(resumed, 0, ""))) {
        throw new CancelledException("stopped");
      }
    }
  }

  /**
   * Copies take next to no time: they count as done from the start, so that rate and time left are those of drawing.
   *
   * @param part of a batch that is denoised, in images
   */
  private Progress progress(int resumed, double part, String detail) {
    int stored = stores.nextPosition();
    int total = plan.size();
    int copiesAhead = copied.get(stored, Math.max(stored, total)).cardinality();
    int done = stored == total ? total : Math.min(stored + copiesAhead, total - 1);
    int free = Math.min(resumed + copied.cardinality(), done);
    return new Progress("generate", done, total, free, "images", detail).withUnderWay(drawn - redrawn + part - (done - free));
  }

  /** All prompts at once, so that as many as memory holds are prepared together. */
  private void prepareText(int from) {
    var texts = new LinkedHashSet<Conditioning>();
    for (int i = copied.nextClearBit(from); i < plan.size(); i = copied.nextClearBit(i + 1)) {
      PlannedImage image = plan.image(i);
      texts.add(new Conditioning.Text(image.prompt()));
      texts.add(new Conditioning.Text(image.negativePrompt()));
    }
    pipeline.prepare(List.copyOf(texts));
  }

  /** Finds the images that other stores hold exactly alike. */
  private void findCopies(int from) {
    for (SyntheticStore store : stores.takeCopies() ? options.reuse() : List.<SyntheticStore>of()) {
      if (!store.header().modelHash().equals(pipeline.modelHash())
          || !store.header().config().equals(stores.config())) {
        continue;
      }
      Map<String, StoreSlot> slots = new HashMap<>();
      store.slots().forEach(slot -> slots.put(slot.key(), slot));
      BitSet alike = plan.reusableFrom(store.header().plan());
      for (int i = alike.nextSetBit(from); i >= 0; i = alike.nextSetBit(i + 1)) {
        Optional<StoreSlot> slot = Optional.ofNullable(slots.get(plan.image(i).key()));
        if (!copied.get(i) && slot.isPresent()) {
          reusable.put(i, new Source(store, slot.get()));
          copied.set(i);
        }
      }
    }
  }

  private Latents denoise(List<Job> batch, int resumed, ProgressListener listener) {
    return pipeline.denoise(
        batch.stream().map(job -> request(job.image())).toList(),
        sampling,
        step ->
            listener.onProgress(
                progress(
                    resumed,
                    batch.size() * (double) step.done() / step.total(),
                    "step %d/%d of the next %d".formatted(step.done(), step.total(), batch.size()))));
  }

  private ImageRequest request(PlannedImage image) {
    PlanSpec.Sampling s = plan.spec().sampling();
    return new ImageRequest(
        image.prompt(),
        image.negativePrompt(),
        image.guidance(),
        (float) s.eta(),
        s.source() == NoiseSource.PHILOX ? NoiseGenerator.PHILOX : NoiseGenerator.TORCH,
        image.seed(),
        image.noiseKey());
  }

  /** Denoises a batch and hands it, and the copies before position {@code upTo}, to the finisher. */
  private void submit(List<Job> batch, int upTo, int resumed, ProgressListener listener) {
    if (batch.isEmpty()) {
      inFlight.add(finisher.submit(() -> store(upTo)));
      return;
    }
    Latents latents = denoise(batch, resumed, listener);
    drawn += batch.size();
    inFlight.add(finisher.submit(() -> finish(batch, latents, upTo)));
  }

  /** On the finisher's thread: decodes, checks, stores; returns the images to draw again. */
  private List<Rejected> finish(List<Job> batch, Latents latents, int upTo) {
    Pictures pictures = pipeline.decode(latents, sampling.truncate());
    List<PictureGate.Fate> fates = gate.judge(pictures);
    var rejected = new ArrayList<Rejected>();
    for (int i = 0; i < batch.size(); i++) {
      Job job = batch.get(i);
      switch (fates.get(i)) {
        case PictureGate.Fate.Kept(Optional<Flaw> flagged) ->
            append(job, new RgbImage(pictures.height(), pictures.width(), pictures.picture(i)), flagged);
        case PictureGate.Fate.Redrawn(Flaw flaw) -> rejected.add(new Rejected(job, flaw));
        case PictureGate.Fate.LeftOut(Flaw flaw) ->
            stores.drop(job.index(), job.image().key(), attempts(job.index(), new Attempt(job.image().seed(), flaw)));
      }
    }
    store(upTo);
    return rejected;
  }

  private void append(Job job, RgbImage picture, Optional<Flaw> flagged) {
    stores.append(
        job.index(),
        job.image(),
        picture,
        StoreRecord.json(job.image(), redone.getOrDefault(job.index(), List.of()), flagged));
  }

  /** The attempts for an image before this one, and this one. */
  private List<Attempt> attempts(int index, Attempt last) {
    var attempts = new ArrayList<>(redone.getOrDefault(index, List.of()));
    attempts.add(last);
    return List.copyOf(attempts);
  }

  /** Hands over the copies before {@code upTo} and makes all that is complete safe on disk. */
  private List<Rejected> store(int upTo) {
    int copies = 0;
    for (; nextCopy < upTo; nextCopy++) {
      Source source = reusable.remove(nextCopy);
      if (source != null) {
        switch (source.slot()) {
          case StoreEntry entry ->
              stores.append(nextCopy, entry.key(), source.store().png(entry), source.store().json(entry));
          case StoreDrop drop -> stores.drop(nextCopy, drop.key(), drop.attempts());
        }
        if (++copies % options.batch() == 0) {
          stores.commit(); // bounds the memory that waiting copies take
        }
      }
    }
    stores.commit();
    return List.of();
  }

  /** Waits until at most {@code most} batches are being stored. */
  private void drain(int most) {
    while (inFlight.size() > most) {
      await(inFlight.poll()).forEach(this::redraw);
    }
  }

  private void redraw(Rejected rejected) {
    int index = rejected.job().index();
    PlannedImage image = rejected.job().image();
    Flaw flaw = rejected.flaw();
    List<Attempt> attempts = attempts(index, new Attempt(image.seed(), flaw));
    redone.put(index, attempts);
    if (attempts.size() > MAX_ATTEMPTS) {
      throw new MotleyException(
          "image %s came out %s with %d seeds in a row: %s"
              .formatted(
                  image.key(),
                  flaw.id(),
                  attempts.size(),
                  flaw.isFlagged()
                      ? "the safety policies 'drop' and 'flag' go on where 'redo' cannot, into another folder"
                      : "the model, its precision or the guidance " + image.guidance() + " may be at fault"));
    }
    redrawn++;
    again.add(new Job(index, plan.retry(plan.image(index), attempts.size())));
  }

  private static <T> T await(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted");
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new MotleyException(e.getMessage(), e);
    }
  }

  /** Waits for what is being stored, then closes the store. */
  @Override
  public void close() {
    finisher.close();
    stores.close();
  }
}

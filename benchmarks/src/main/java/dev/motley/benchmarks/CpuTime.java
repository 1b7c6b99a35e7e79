// SPDX-License-Identifier: Apache-2.0
package dev.motley.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * CPU seconds per operation, of the whole process. With one thread of computation, which has nobody to wait for, other programs
 * disturb it little.
 *
 * <pre>
 * OMP_NUM_THREADS=1 java -jar ... TrainingBenchmark -prof dev.motley.benchmarks.CpuTime
 * </pre>
 */
public final class CpuTime implements InternalProfiler {

  /** The label of its results. */
  static final String LABEL = "cpu";

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final double NANO = 1e-9;

  private long before;

  @Override
  public String getDescription() {
    return "CPU time per operation";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    before = SYSTEM.getProcessCpuTime();
  }

  @Override
  public Collection<? extends Result> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    double seconds = NANO * (SYSTEM.getProcessCpuTime() - before);
    double perOperation = seconds / result.getMetadata().getMeasuredOps();
    return List.of(new ScalarResult(LABEL, perOperation, "s/op", AggregationPolicy.AVG));
  }
}

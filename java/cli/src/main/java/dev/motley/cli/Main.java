// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.MotleyException;
import dev.motley.MotleyVersion;
import dev.motley.ffi.NativeRuntime;
import dev.motley.files.FileFailure;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The {@code motley} command. */
@Command(
    name = "./motley", // as a fresh checkout has it, so that what the help shows can be pasted
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "From class names to a trained image classifier, with no real training image.",
    footer = {
      "",
      "Begin with: ./motley demo",
      "Also: ./motley test runs every test; ./motley jdk prints the folder of the JDK in use.",
      "Exit codes: 0 done, 1 failed, 2 bad input, 3 environment (disk, memory, libraries), 130 stopped,",
      "141 whoever read the output left."
    })
public final class Main implements Runnable {

  private static final String LOG_FORMAT = "java.util.logging.SimpleFormatter.format";

  @Spec private CommandSpec spec;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      hidden = true,
      description = "Print the stack trace of a failure.")
  private boolean stacktrace;

  @Option(
      names = "--threads",
      scope = ScopeType.INHERIT,
      paramLabel = "N",
      converter = Numbers.Threads.class,
      description = "Threads that compute. Default: OMP_NUM_THREADS, else as many as there are CPUs, within a container's share.")
  private Optional<Integer> threads = Optional.empty();

  private Main() {}

  /**
   * Runs the command and exits with its code, one of {@link Exit}.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    if (System.getProperty(LOG_FORMAT) == null) {
      System.setProperty(LOG_FORMAT, "motley: %5$s%n"); // the library's warnings look like the command line's own
    }
    var stdout = new StandardOutput();
    Context context = Context.standard(stdout);
    context.cancellation().install(context.err());
    int code;
    try {
      code = commandLine(context).execute(args);
    } catch (Error e) { // the command line's own handler sees exceptions only
      context.err().println("motley: " + Exit.message(e));
      code = Exit.of(e).code();
    }
    context.cancellation().exit(written(context, stdout, code));
  }

  /** The code of a command whose results were to be written: those that could not be are a failure of their own. */
  private static int written(Context context, StandardOutput stdout, int code) {
    context.out().flush();
    if (code != Exit.OK.code() || stdout.failure().isEmpty()) {
      return code;
    }
    IOException failure = stdout.failure().get();
    if (StandardOutput.readerLeft(failure)) {
      return Exit.READER_LEFT.code();
    }
    context.err().println("motley: cannot write to the standard output: " + FileFailure.reason(failure));
    return Exit.ENVIRONMENT.code();
  }

  /** The whole command, for {@link #main} and for tests. */
  static CommandLine commandLine(Context context) {
    var main = new Main();
    var line = new CommandLine(main);
    List<Object> commands =
        List.of(
            new DemoCommand(context),
            new PlanCommand(context),
            new GenerateCommand(context),
            new TrainCommand(context),
            new EvaluateCommand(context),
            new PredictCommand(context),
            new RunCommand(context),
            new TablesCommand(context),
            new PaperCommand(context),
            new SampleCommand(context),
            new AgainCommand(context),
            new BenchCommand(context),
            new VerifyCommand(context),
            new InspectCommand(context),
            new ConvertCommand(context),
            new ImportCommand(context),
            new ExportCommand(context),
            new InfoCommand(context),
            new HelpCommand());
    commands.forEach(line::addSubcommand);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpWidth(100);
    line.setOut(context.out());
    line.setErr(context.err());
    line.setExecutionStrategy(main::runWithThreads);
    line.setParameterExceptionHandler((e, _) -> badUsage(e));
    line.setExecutionExceptionHandler(
        (e, command, _) -> {
          report(e, command.getErr(), main.stacktrace);
          return Exit.of(e).code();
        });
    return line;
  }

  private int runWithThreads(ParseResult parsed) {
    try {
      threads.ifPresent(NativeRuntime::useThreads);
    } catch (MotleyException e) {
      throw new ExecutionException(parsed.commandSpec().commandLine(), e.getMessage(), e);
    }
    return new RunLast().execute(parsed);
  }

  private static void report(Exception e, PrintWriter err, boolean stacktrace) {
    if (stacktrace) {
      e.printStackTrace(err);
    } else {
      err.println("motley: " + Exit.message(e));
    }
    err.flush();
  }

  private static int badUsage(ParameterException e) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("motley: " + e.getMessage().lines().findFirst().orElse("bad usage"));
    UnmatchedArgumentException.printSuggestions(e, err);
    err.println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
    err.flush();
    return Exit.USAGE.code();
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"motley " + MotleyVersion.current()};
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import dev.motley.MotleyVersion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code motley} command. */
@Command(
    name = "motley",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "From class names to a trained image classifier, with no real training image.")
public final class Main implements Runnable {

  @Spec private CommandSpec spec;

  private Main() {}

  /**
   * Runs the command and exits with its code.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "motley: name a command, or try --help");
  }

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"motley " + MotleyVersion.current()};
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
package dev.motley.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.motley.testing.Shared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher in a checkout of its own, with fake JDKs and fake build tools, and none but these. */
class LauncherTest {

  /** Where JDKs are looked for outside HOME: replaced, so that this machine's own are not found. */
  private static final List<String> SYSTEM_FOLDERS =
      List.of("/usr/lib/jvm/*", "/opt/*", "/opt/java/*", "/usr/java/*", "/usr/local/jdk*", "/usr/local/openjdk*");

  /** What the launcher needs of any Linux; {@code flock} may be absent. */
  private static final List<String> BASICS =
      List.of(
          "bash", "env", "cat", "cut", "dirname", "find", "grep", "gzip", "head", "mkdir", "mktemp", "mv", "readlink", "rm",
          "sed", "seq", "sha256sum", "sleep", "sort", "tar", "touch", "uname", "chmod", "curl");

  /** Said every second here. */
  private static final String REPORTS = "REPORT_SECONDS=20 ";

  private static final String OLD = "17.0.9";
  private static final String NEW = "25.0.1";
  private static final String BUILD_TOOLS = "g++ cmake ninja-build maven";

  @TempDir private Path folder;

  private Path root;
  private Path bin;
  private final Map<String, String> environment = new HashMap<>();

  private record Result(int code, String out, String err) {}

  @BeforeEach
  void makeACheckout() throws IOException {
    root = Files.createDirectory(folder.resolve("checkout"));
    bin = Files.createDirectory(folder.resolve("bin"));
    String launcher = Files.readString(Shared.repository().resolve("motley"));
    for (String system : SYSTEM_FOLDERS) {
      assertThat(launcher).contains(system);
      launcher = launcher.replace(" " + system, " " + folder.resolve("none") + system);
    }
    assertThat(launcher).contains(REPORTS);
    executable(root.resolve("motley"), launcher.replace(REPORTS, "REPORT_SECONDS=1 "));
    for (String source : List.of("pom.xml", "java/cli/pom.xml", "java/cli/src/main/Main.java", "native/CMakeLists.txt",
        "native/CMakePresets.json", "native/include/motley.h", "native/src/a.cpp", "cmake/a.cmake")) {
      Path file = root.resolve(source);
      Files.createDirectories(file.getParent());
      Files.writeString(file, "source");
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
    }
    for (String tool : BASICS) {
      Optional<Path> found = onPath(tool);
      assumeTrue(found.isPresent(), "needs " + tool);
      executable(bin.resolve(tool), "#!/bin/sh\nexec " + found.get() + " \"$@\"\n");
    }
    environment.put("HOME", Files.createDirectory(folder.resolve("home")).toString());
    environment.put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    environment.put("PATH", bin.toString());
  }

  private static Optional<Path> onPath(String tool) {
    return Stream.of("/usr/bin", "/bin", "/usr/local/bin")
        .map(directory -> Path.of(directory, tool))
        .filter(Files::isExecutable)
        .findFirst();
  }

  private static void executable(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private void tool(String name, String body) throws IOException {
    Files.deleteIfExists(bin.resolve(name));
    executable(bin.resolve(name), "#!/bin/sh\n" + body + "\n");
  }

  /** A folder that looks like a JDK; its {@code java} says what it was asked to run. */
  private Path jdk(String name, String version) throws IOException {
    Path home = folder.resolve(name);
    executable(home.resolve("bin/java"), "#!/bin/sh\nfor last; do :; done\necho \"java of " + name + ": $last\"\n");
    executable(home.resolve("bin/javac"), "#!/bin/sh\n");
    Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"none\"\nJAVA_VERSION=\"" + version + "\"\n");
    return home;
  }

  /** Build tools of sufficient versions; Maven makes the jar and keeps count. */
  private void buildTools() throws IOException {
    tool("g++", "");
    tool("ninja", "");
    tool("cmake", "echo 'cmake version 3.28.1'");
    tool(
        "mvn",
        "case \"$*\" in *--version*) echo 'Apache Maven 3.9.9 (x)' ;; *) echo build >>'%1$s/builds'; mkdir -p '%1$s/java/cli/target'; echo jar >'%1$s/java/cli/target/motley-cli-1.jar' ;; esac"
            .formatted(root));
  }

  private Process start(Path out, Path err, String... args) throws IOException {
    var command = Stream.concat(Stream.of(root.resolve("motley").toString()), Stream.of(args)).toList();
    var builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    return builder.start();
  }

  private Result motley(String... args) throws IOException, InterruptedException {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    Process process = start(out, err, args);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private static void waitFor(Path file, String text) throws IOException, InterruptedException {
    for (int i = 0; i < 600 && !Files.readString(file).contains(text); i++) {
      Thread.sleep(50);
    }
    assertThat(file).content().contains(text);
  }

  /** Maven, which says {@code first}, waits for the file {@code go}, a minute at most, and then makes the jar. */
  private Path slowMaven(String first) throws IOException {
    Path go = root.resolve("go");
    tool(
        "mvn",
        "case \"$*\" in *--version*) echo 'Apache Maven 3.9.9 (x)'; exit ;; esac\nprintf '%2$s'; echo build >>'%1$s/builds'\nfor i in $(seq 600); do [ -e '%1$s/go' ] && break; sleep 0.1; done\nprintf 'the end'; mkdir -p '%1$s/java/cli/target'; echo jar >'%1$s/java/cli/target/motley-cli-1.jar'"
            .formatted(root, first));
    return go;
  }

  private long builds() throws IOException {
    Path file = root.resolve("builds");
    return Files.exists(file) ? Files.readAllLines(file).size() : 0;
  }

  /** A .tar.gz of a JDK, as its publishers pack it: in one folder. */
  private Path archive(String version) throws IOException, InterruptedException {
    jdk("packed", version);
    Path archive = folder.resolve("jdk.tar.gz");
    Process tar =
        new ProcessBuilder("tar", "-czf", archive.toString(), "-C", folder.toString(), "packed").start();
    assertThat(tar.waitFor()).isZero();
    return archive;
  }

  private static String sha256(Path file) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
  }

  @Test
  void aJdkThatIsTooOldIsPassedOver() throws IOException, InterruptedException {
    buildTools();
    environment.put("JAVA_HOME", jdk("old", OLD).toString());
    jdk("home/.jdks/newer", NEW);
    assertThat(motley("info").out()).isEqualTo("java of home/.jdks/newer: info\n");
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    assertThat(motley("info").out()).as("JAVA_HOME comes first").isEqualTo("java of given: info\n");
  }

  @Test
  void otherProgramsLearnWhichJdkItUses() throws IOException, InterruptedException {
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    Result result = motley("jdk");
    assertThat(result.out()).isEqualTo(folder.resolve("given") + "\n");
    assertThat(result.code()).isZero();
    assertThat(builds()).as("nothing has to be built for that").isZero();
  }

  @Test
  void theJdkOfThePathIsFound() throws IOException, InterruptedException {
    buildTools();
    Path home = jdk("elsewhere", NEW);
    Files.createSymbolicLink(bin.resolve("javac"), home.resolve("bin/javac"));
    assertThat(motley("info").out()).isEqualTo("java of elsewhere: info\n");
  }

  @Test
  void aFetchedJdkIsUsedOnlyWithItsChecksum() throws Exception {
    buildTools();
    Path archive = archive(NEW);
    environment.put("JAVA_HOME", jdk("old", OLD).toString());
    environment.put("MOTLEY_JDK_URL", archive.toUri().toString());
    environment.put("MOTLEY_JDK_SHA256", "0".repeat(64));
    Result wrong = motley("info");
    assertThat(wrong.code()).isEqualTo(3);
    assertThat(wrong.err())
        .contains("motley: JAVA_HOME=" + folder.resolve("old") + " is no JDK >= 25")
        .contains("has SHA-256 " + sha256(archive) + ", expected " + "0".repeat(64) + ": not used");
    try (Stream<Path> left = Files.list(folder.resolve("cache/motley"))) {
      assertThat(left).as("nothing half-fetched").isEmpty();
    }

    environment.put("MOTLEY_JDK_SHA256", sha256(archive));
    Result right = motley("info");
    assertThat(right.code()).as(right.err()).isZero();
    assertThat(right.out()).isEqualTo("java of packed: info\n");

    Files.delete(archive);
    assertThat(motley("info").out()).as("kept in the cache").isEqualTo("java of packed: info\n");
  }

  @Test
  void aFetchedJdkThatIsTooOldIsRefused() throws Exception {
    Path archive = archive(OLD);
    environment.put("MOTLEY_JDK_URL", archive.toUri().toString());
    environment.put("MOTLEY_JDK_SHA256", sha256(archive));
    Result result = motley("info");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("holds no JDK >= 25");
  }

  @Test
  void itsOwnCommandsHaveHelpAndTakeNothingElse() throws IOException, InterruptedException {
    for (String command : List.of("test", "jdk")) {
      Result help = motley(command, "--help");
      assertThat(help.code()).isZero();
      assertThat(help.out()).startsWith("Usage: ./motley " + command + "\n");
      Result wrong = motley(command, "--fast");
      assertThat(wrong.code()).isEqualTo(2);
      assertThat(wrong.err()).isEqualTo("motley: unexpected argument '--fast'\n");
    }
    assertThat(root.resolve("build")).as("nothing was begun").doesNotExist();
  }

  @Test
  void anAddressThatGivesNothingIsNamed() throws IOException, InterruptedException {
    environment.put("MOTLEY_JDK_URL", folder.resolve("none.tar.gz").toUri().toString());
    Result result = motley("info");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("cannot fetch file:").contains("install a JDK >= 25 and set JAVA_HOME");
  }

  @Test
  void missingToolsAreNamedInOneCommand() throws IOException, InterruptedException {
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    tool("apt-get", "echo \"$*\" >>'" + root + "/installed'");
    tool("id", "echo 1000");
    Result user = motley("info");
    assertThat(user.code()).isEqualTo(3);
    assertThat(user.err())
        .isEqualTo("motley: missing: %1$s; run: sudo apt-get install -y --no-install-recommends %1$s\n".formatted(BUILD_TOOLS));
    assertThat(root.resolve("installed")).as("nothing is installed unasked").doesNotExist();

    tool("id", "echo 0");
    Result administrator = motley("info");
    assertThat(administrator.err())
        .contains("missing: " + BUILD_TOOLS + "; installing with: apt-get install")
        .contains("still missing after the installation: " + BUILD_TOOLS);
    assertThat(Files.readString(root.resolve("installed")))
        .isEqualTo("update -q\ninstall -y --no-install-recommends " + BUILD_TOOLS + "\n");

    Files.delete(bin.resolve("apt-get"));
    Result elsewhere = motley("info");
    assertThat(elsewhere.code()).isEqualTo(3);
    assertThat(elsewhere.err()).contains("missing: " + BUILD_TOOLS + " (Debian's names); install a C++20 compiler");
  }

  @Test
  void toolsThatAreTooOldAreNamed() throws IOException, InterruptedException {
    buildTools();
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    tool("cmake", "echo 'cmake version 3.9.6'");
    Result result = motley("info");
    assertThat(result.code()).isEqualTo(3);
    assertThat(result.err()).contains("CMake 3.9.6 is too old, 3.25 or newer is needed");
  }

  @Test
  void itBuildsWhatIsStaleAndNothingElse() throws IOException, InterruptedException {
    buildTools();
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    Result first = motley("info");
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(first.err()).contains("building the native core and the Java code");
    assertThat(builds()).isEqualTo(1);
    assertThat(motley("info").err()).isEmpty();
    assertThat(builds()).isEqualTo(1);
    for (String source : List.of("native/src/a.cpp", "java/cli/src/main/Main.java", "pom.xml")) {
      long before = builds();
      Files.setLastModifiedTime(root.resolve(source), FileTime.from(Instant.now().plusSeconds(1)));
      motley("info");
      assertThat(builds()).as(source).isEqualTo(before + 1);
      Files.setLastModifiedTime(root.resolve(source), FileTime.from(Instant.now().minusSeconds(60)));
    }
    long before = builds();
    Files.delete(root.resolve("java/cli/target/motley-cli-1.jar"));
    motley("info");
    assertThat(builds()).as("no jar").isEqualTo(before + 1);
  }

  @Test
  void aFailedBuildIsNotTakenForOne() throws IOException, InterruptedException {
    buildTools();
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    tool("mvn", "case \"$*\" in *--version*) echo 'Apache Maven 3.9.9 (x)' ;; *) echo '[ERROR] no good'; exit 1 ;; esac");
    for (int i = 0; i < 2; i++) {
      Result result = motley("info");
      assertThat(result.code()).isEqualTo(3);
      assertThat(result.err()).contains("[ERROR] no good").contains("the build failed, see " + root.resolve("build/build.log"));
      assertThat(result.out()).isEmpty();
    }
  }

  @Test
  void aLongBuildSaysHowFarItIs() throws IOException, InterruptedException {
    buildTools();
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    String first = "[INFO] Building motley [1/3]\\n[7/108] Building CXX object a.cpp.o\\n[65/108] Building CXX";
    Path go = slowMaven(first);
    Path err = folder.resolve("err");
    Process process = start(folder.resolve("out"), err, "info");
    waitFor(err, "motley: still building: step 65 of 108 of the native core\n");
    Files.createFile(go);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(folder.resolve("out")).content().isEqualTo("java of given: info\n");
    assertThat(root.resolve("build/build.log")).content().isEqualTo(first.replace("\\n", "\n") + "the end");
  }

  @Test
  void aCommandSaysThatItWaitsForAnothersBuild() throws IOException, InterruptedException {
    Optional<Path> flock = onPath("flock");
    assumeTrue(flock.isPresent(), "needs flock");
    buildTools();
    tool("flock", "exec " + flock.get() + " \"$@\"");
    environment.put("JAVA_HOME", jdk("given", NEW).toString());
    Path go = slowMaven("");
    Path[] err = {folder.resolve("err1"), folder.resolve("err2")};
    Process builds = start(folder.resolve("out1"), err[0], "info");
    waitFor(err[0], "building the native core");
    Process waits = start(folder.resolve("out2"), err[1], "verify");
    waitFor(err[1], "waiting until it ends (log of the build: " + root.resolve("build/build.log") + ")");
    Files.createFile(go);
    assertThat(builds.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(waits.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(folder.resolve("out2")).content().isEqualTo("java of given: verify\n");
    assertThat(builds()).as("the second finds nothing stale").isEqualTo(1);
  }
}

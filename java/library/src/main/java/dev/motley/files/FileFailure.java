// SPDX-License-Identifier: Apache-2.0
package dev.motley.files;

import dev.motley.InvalidInputException;
import dev.motley.MotleyException;
import dev.motley.ResourceException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** What went wrong with a file, in words: Java's own messages are often the path alone, or null. */
public final class FileFailure {
  private FileFailure() {}

  /**
   * The error for a file that cannot be read: bad input where the caller named what is not there or
   * is no such file, else something the machine lacks.
   *
   * @param file the one that was asked for; the exception's own is named where it has one
   * @return one line that names the file and the reason
   */
  public static MotleyException reading(Path file, IOException e) {
    if (Files.isDirectory(file)) {
      return new InvalidInputException(file + ": is a folder, expected a file", e);
    }
    return readingIn(file, e);
  }

  /**
   * The error for a folder, or a file somewhere in it, that cannot be read: bad input where it is not there or is no text, else
   * something the machine lacks.
   *
   * @param folder the one that was asked for; the exception's own file is named where it has one
   * @return one line that names the file or folder and the reason
   */
  public static MotleyException readingIn(Path folder, IOException e) {
    String name =
        e instanceof FileSystemException f && f.getFile() != null ? f.getFile() : folder.toString();
    if (e instanceof NoSuchFileException || e instanceof CharacterCodingException) {
      return new InvalidInputException(name + ": " + reason(e), e);
    }
    return new ResourceException(name + ": cannot be read: " + reason(e), e);
  }

  /**
   * What the system said, without the path that Java puts before it or gives instead of words.
   *
   * @return a few words, in lower case
   */
  public static String reason(IOException e) {
    if (e instanceof FileSystemException f && f.getReason() != null) {
      return words(f.getReason());
    }
    return switch (e) {
      case NoSuchFileException _ -> "no such file";
      case AccessDeniedException _ -> "permission denied";
      case FileAlreadyExistsException _ -> "a file of that name is in the way";
      case NotDirectoryException _ -> "not a folder";
      case DirectoryNotEmptyException _ -> "the folder is not empty";
      case FileSystemLoopException _ -> "a link leads back to a folder above it";
      case CharacterCodingException _ -> "not valid UTF-8";
      case EOFException _ -> "the file ends too early";
      case ClosedByInterruptException _ -> "interrupted";
      default -> e.getMessage() == null ? e.getClass().getSimpleName() : words(e.getMessage());
    };
  }

  /** The first line; "No space left on device" in the middle of a sentence begins in lower case. */
  private static String words(String text) {
    String line = text.lines().findFirst().orElse("");
    boolean sentence =
        line.length() > 1
            && Character.isUpperCase(line.charAt(0))
            && Character.isLowerCase(line.charAt(1));
    return sentence ? Character.toLowerCase(line.charAt(0)) + line.substring(1) : line;
  }
}

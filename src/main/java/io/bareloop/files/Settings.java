package io.bareloop.files;

import io.bareloop.sys.Syscalls;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * How files are served; see {@link StaticFiles.Builder}.
 *
 * @param root the directory
 * @param mount what stands in front of the files' paths in URLs; empty, or "/" and a name or more
 * @param index the name of the file that a directory answers with
 * @param fallback the path whose file answers where there is none, or null
 * @param outsideLinks whether symbolic links may lead out of the root
 * @param smallBytesMax bytes up to which a file is kept in memory
 * @param memoryBytesMax bytes of memory for small files
 * @param openFilesMax large files that are kept open
 * @param uncheckedNanosMax how long a file is served that cannot be looked at again
 * @param diskTimeMax how long a request waits for a disk that does not answer
 * @param log takes lines about what the disk refuses
 * @param calls makes the system calls of a thread
 */
record Settings(
        Path root,
        String mount,
        String index,
        String fallback,
        boolean listing,
        boolean dotFiles,
        boolean outsideLinks,
        boolean precompressed,
        boolean gzip,
        MediaTypes types,
        CacheControl cacheControl,
        int smallBytesMax,
        long memoryBytesMax,
        int openFilesMax,
        long uncheckedNanosMax,
        Duration diskTimeMax,
        Consumer<String> log,
        Function<Arena, Syscalls> calls) {}

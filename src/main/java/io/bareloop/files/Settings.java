package io.bareloop.files;

/**
 * How files are served; see {@link StaticFiles.Builder}.
 *
 * @param mount what stands in front of the files' paths in URLs; empty, or "/" and a name or more
 * @param index the name of the file that a directory answers with
 * @param fallback the path whose file answers where there is none, or null
 * @param smallBytesMax bytes up to which a file is kept in memory
 * @param uncheckedNanosMax how long a file is served that cannot be looked at again
 */
record Settings(
        String mount,
        String index,
        String fallback,
        boolean listing,
        boolean dotFiles,
        boolean precompressed,
        boolean gzip,
        int smallBytesMax,
        long uncheckedNanosMax,
        MediaTypes types,
        CacheControl cacheControl) {}

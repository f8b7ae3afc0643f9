package io.bareloop.files;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** Content-Type by file name, as IANA has registered the types and Apache maps them. */
final class MediaTypes {
    private static final String UNKNOWN = "application/octet-stream";

    /** One type a line, and the extensions that mean it. */
    private static final String REGISTRY =
            """
            text/html html htm
            text/css css
            text/javascript js mjs
            text/plain txt text log
            text/markdown md markdown
            text/csv csv
            text/tab-separated-values tsv
            text/calendar ics
            text/vcard vcf
            text/vtt vtt
            application/xml xml
            application/xslt+xml xsl xslt
            application/xhtml+xml xhtml
            application/rss+xml rss
            application/atom+xml atom
            application/json json map
            application/ld+json jsonld
            application/geo+json geojson
            application/manifest+json webmanifest
            application/yaml yaml yml
            application/toml toml
            application/wasm wasm
            application/pdf pdf
            application/postscript ps
            application/rtf rtf
            application/epub+zip epub
            application/zip zip
            application/gzip gz tgz
            application/octet-stream br exe bin
            application/zstd zst
            application/x-bzip2 bz2
            application/x-xz xz
            application/x-7z-compressed 7z
            application/x-tar tar
            application/vnd.rar rar
            application/java-archive jar
            application/vnd.debian.binary-package deb
            application/x-rpm rpm
            application/x-iso9660-image iso
            application/vnd.android.package-archive apk
            application/msword doc
            application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
            application/vnd.ms-excel xls
            application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
            application/vnd.ms-powerpoint ppt
            application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
            application/vnd.oasis.opendocument.text odt
            application/vnd.oasis.opendocument.spreadsheet ods
            application/vnd.oasis.opendocument.presentation odp
            application/sql sql
            image/gif gif
            image/png png
            image/apng apng
            image/jpeg jpg jpeg
            image/webp webp
            image/avif avif
            image/heic heic
            image/jxl jxl
            image/bmp bmp
            image/vnd.microsoft.icon ico
            image/svg+xml svg
            image/tiff tif tiff
            font/woff woff
            font/woff2 woff2
            font/ttf ttf
            font/otf otf
            font/collection ttc
            application/vnd.ms-fontobject eot
            audio/mpeg mp3
            audio/mp4 m4a
            audio/aac aac
            audio/ogg oga ogg opus
            audio/wav wav
            audio/flac flac
            audio/midi mid midi
            audio/webm weba
            video/mp4 mp4 m4v
            video/webm webm
            video/ogg ogv
            video/quicktime mov
            video/x-msvideo avi
            video/matroska mkv
            video/mpeg mpeg mpg
            video/mp2t ts
            application/vnd.apple.mpegurl m3u8
            application/dash+xml mpd
            model/gltf-binary glb
            model/gltf+json gltf
            """;

    private final Map<String, String> byExtension = new HashMap<>();

    MediaTypes() {
        for (String line : REGISTRY.lines().toList()) {
            String[] words = line.strip().split(" ", -1);
            for (int i = 1; i < words.length; i++) {
                byExtension.put(words[i], withCharset(words[0]));
            }
        }
    }

    /** Text without a charset is guessed at; what is written nowadays is UTF-8. */
    private static String withCharset(String type) {
        return type.startsWith("text/") ? type + "; charset=utf-8" : type;
    }

    /** Has {@code extension}, without a dot, mean {@code type}. */
    void put(String extension, String type) {
        byExtension.put(extension.toLowerCase(Locale.ROOT), type);
    }

    /** The type of the file at {@code path}. */
    String of(String path) {
        int dot = path.lastIndexOf('.');
        return dot <= path.lastIndexOf('/')
                ? UNKNOWN
                : byExtension.getOrDefault(
                        path.substring(dot + 1).toLowerCase(Locale.ROOT), UNKNOWN);
    }

    /** Whether bytes of that type get smaller by compression, as a rule. */
    static boolean isCompressible(String type) {
        return type.startsWith("text/")
                || type.endsWith("+xml")
                || type.endsWith("+json")
                || type.equals("application/json")
                || type.equals("application/xml")
                || type.equals("application/wasm")
                || type.equals("application/yaml")
                || type.equals("application/toml")
                || type.equals("application/sql")
                || type.equals("application/rtf")
                || type.equals("image/vnd.microsoft.icon")
                || type.equals("image/bmp")
                || type.equals("font/ttf")
                || type.equals("font/otf")
                || type.equals("application/vnd.ms-fontobject");
    }
}

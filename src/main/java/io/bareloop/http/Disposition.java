package io.bareloop.http;

/**
 * The Content-Disposition of a part of a form (RFC 7578, section 4.2).
 *
 * @param name of the field of the form
 * @param filename the name of the file; null where it is none
 */
record Disposition(String name, String filename) {
    /**
     * Reads [from, to) of {@code in}.
     *
     * @throws HttpException with 400 where it is malformed, has a parameter twice, or no name
     */
    static Disposition of(byte[] in, int from, int to) {
        FieldParameters parameters = new FieldParameters("Content-Disposition", in, from, to);
        if (!parameters.type().equals("form-data")) {
            throw malformed("it is form-data; name=\"...\"");
        }
        String name = null;
        String filename = null;
        String extended = null;
        while (parameters.next()) {
            String parameter = parameters.name();
            switch (parameter) {
                case "name" -> {
                    once(name, parameter);
                    name = Filename.decode(parameter, parameters.value());
                }
                case "filename" -> {
                    once(filename, parameter);
                    filename = Filename.decode(parameter, parameters.value());
                }
                case "filename*" -> {
                    once(extended, parameter);
                    extended = Filename.decodeExtended(parameters.value());
                }
                default -> checkOther(parameter);
            }
        }
        if (name == null) {
            throw malformed("no name");
        }
        return new Disposition(name, extended != null ? extended : filename);
    }

    private static void once(String before, String parameter) {
        if (before != null) {
            throw malformed(parameter + " twice");
        }
    }

    /** Names in pieces (RFC 2231): whoever reads them sees another part than who does not. */
    private static void checkOther(String parameter) {
        if (parameter.startsWith("name*") || parameter.startsWith("filename*")) {
            throw malformed("parameters like name* and filename*0 are not for forms");
        }
    }

    private static HttpException malformed(String how) {
        return new HttpException(Status.BAD_REQUEST, "malformed Content-Disposition: " + how);
    }
}

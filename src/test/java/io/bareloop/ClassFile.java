package io.bareloop;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * As much of a class file as tells how large the code of its methods is (JVM specification, chapter
 * 4). The JDK's own reader of class files came after JDK 22.
 */
final class ClassFile {
    private static final int CLASS_BYTES = 2;

    private final Map<String, Integer> codeSizes = new HashMap<>();

    ClassFile(byte[] bytes) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        in.skipNBytes(8); // Magic number, versions.
        String[] texts = readConstants(in);
        in.skipNBytes(6); // Flags, this class, the one above.
        in.skipNBytes((long) CLASS_BYTES * in.readUnsignedShort());
        readMembers(in, texts); // Fields have no code.
        readMembers(in, texts);
    }

    /** Bytes of code by name of method; of those with the same name, the largest. */
    Map<String, Integer> codeSizes() {
        return codeSizes;
    }

    private static String[] readConstants(DataInputStream in) throws IOException {
        String[] texts = new String[in.readUnsignedShort()];
        for (int i = 1; i < texts.length; i++) {
            int tag = in.readUnsignedByte();
            switch (tag) {
                case 1 -> texts[i] = in.readUTF();
                case 3, 4, 9, 10, 11, 12, 17, 18 -> in.skipNBytes(4);
                case 5, 6 -> {
                    in.skipNBytes(8);
                    i++; // A long or a double takes two places.
                }
                case 7, 8, 16, 19, 20 -> in.skipNBytes(2);
                case 15 -> in.skipNBytes(3);
                default -> throw new IOException("constant pool: tag " + tag);
            }
        }
        return texts;
    }

    private void readMembers(DataInputStream in, String[] texts) throws IOException {
        int members = in.readUnsignedShort();
        for (int i = 0; i < members; i++) {
            in.skipNBytes(2); // Flags.
            String name = texts[in.readUnsignedShort()];
            in.skipNBytes(2); // Descriptor.
            int attributes = in.readUnsignedShort();
            for (int j = 0; j < attributes; j++) {
                String attribute = texts[in.readUnsignedShort()];
                byte[] content = in.readNBytes(in.readInt());
                if (attribute.equals("Code")) {
                    // Two bytes of stack and two of locals stand before the length.
                    int bytes =
                            new DataInputStream(new ByteArrayInputStream(content, 4, 4)).readInt();
                    codeSizes.merge(name, bytes, Math::max);
                }
            }
        }
    }
}

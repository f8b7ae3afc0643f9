package io.bareloop.files;

import io.bareloop.http.ByteView;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The entries by path: read by all loops without a lock, changed by the threads of the disk under
 * one. Bounded in memory and in open files; what was not asked for lately makes room first.
 */
final class FileCache {
    private static final int BUCKETS = 1 << 14;

    private final AtomicReferenceArray<Node> buckets = new AtomicReferenceArray<>(BUCKETS);
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final long memoryBytesMax;
    private final int openFilesMax;
    private long memoryBytes;
    private int openFiles;
    private boolean closed;

    /** Immutable, so that a reader sees a list as it was at one time. */
    private record Node(Entry entry, Node next) {}

    FileCache(long memoryBytesMax, int openFilesMax) {
        this.memoryBytesMax = memoryBytesMax;
        this.openFilesMax = openFilesMax;
    }

    // ---- for loops

    /**
     * The entry at {@code path} from {@code from} on, as it was sent; null where there is none, or
     * an escape says that it means another path than it spells.
     */
    Entry find(ByteView path, int from) {
        int hash = 0;
        int length = path.length();
        for (int i = from; i < length; i++) {
            byte b = path.at(i);
            if (b == '%') {
                return null;
            }
            hash = 31 * hash + b;
        }
        for (Node node = bucket(hash); node != null; node = node.next) {
            if (node.entry.hash == hash && node.entry.isAt(path, from)) {
                return node.entry;
            }
        }
        return null;
    }

    /** The entry at the decoded {@code path}, or null. */
    Entry find(byte[] path, int length) {
        int hash = Entry.hash(path, length);
        for (Node node = bucket(hash); node != null; node = node.next) {
            if (node.entry.hash == hash && node.entry.isAt(path, length)) {
                return node.entry;
            }
        }
        return null;
    }

    private Node bucket(int hash) {
        return buckets.get(index(hash));
    }

    private static int index(int hash) {
        return (hash ^ hash >>> 15) & (BUCKETS - 1);
    }

    // ---- for the threads of the disk

    synchronized Entry get(String path) {
        return entries.get(path);
    }

    /** All entries, in the order in which they came. */
    synchronized List<Entry> all() {
        return new ArrayList<>(entries.values());
    }

    synchronized int size() {
        return entries.size();
    }

    synchronized long memoryBytes() {
        return memoryBytes;
    }

    synchronized int openFiles() {
        return openFiles;
    }

    /** Puts {@code entry} in the place of the one before, whose files close when they are sent. */
    synchronized void put(Entry entry) {
        if (closed) {
            entry.release();
            return;
        }
        Entry old = entries.remove(entry.path);
        if (old != null) {
            forget(old);
        }
        makeRoom(entry.memoryBytes(), entry.openFiles());
        entries.put(entry.path, entry);
        memoryBytes += entry.memoryBytes();
        openFiles += entry.openFiles();
        int index = index(entry.hash);
        buckets.set(index, new Node(entry, buckets.get(index)));
    }

    /** Removes {@code entry}, unless another has taken its place. */
    synchronized void remove(Entry entry) {
        if (entries.remove(entry.path, entry)) {
            forget(entry);
        }
    }

    /** Removes all entries, and keeps none from here on. */
    synchronized void close() {
        closed = true;
        all().forEach(this::remove);
    }

    private void makeRoom(long bytes, int files) {
        // First what nobody has asked for since the last sweep, then whatever came first.
        for (int pass = 0; pass < 2; pass++) {
            Iterator<Entry> candidates = entries.values().iterator();
            while (candidates.hasNext()
                    && (memoryBytes + bytes > memoryBytesMax || openFiles + files > openFilesMax)) {
                Entry candidate = candidates.next();
                if (pass == 1 || !candidate.used) {
                    candidates.remove();
                    forget(candidate);
                }
            }
        }
    }

    private void forget(Entry entry) {
        memoryBytes -= entry.memoryBytes();
        openFiles -= entry.openFiles();
        int index = index(entry.hash);
        buckets.set(index, without(buckets.get(index), entry));
        entry.release();
    }

    private static Node without(Node list, Entry entry) {
        if (list == null) {
            return null;
        }
        return list.entry == entry ? list.next : new Node(list.entry, without(list.next, entry));
    }
}

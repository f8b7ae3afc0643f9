package io.bareloop.net;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The CPU time that this process may use, as a number of CPUs: what its control groups grant it,
 * {@code cpu.max} of cgroup v2, {@code cpu.cfs_quota_us} of v1.
 *
 * <p>A group is bounded by those above it too, and each is looked at, as far as they can be seen
 * from inside the container. JDKs before 24 look at the process's own alone (JDK-8322420).
 */
public final class CpuQuota {
    /** No bound: also where nothing can be read, or what is read makes no sense. */
    public static final int NONE = Integer.MAX_VALUE;

    private CpuQuota() {}

    /** The CPUs granted, rounded up and 1 or more; or {@link #NONE}. */
    public static int cpus() {
        return cpus(Path.of("/"));
    }

    /** As above, with another directory in place of the root of all files. */
    static int cpus(Path root) {
        try {
            String[] groups = lines(root.resolve("proc/self/cgroup"));
            String[] mounts = lines(root.resolve("proc/self/mountinfo"));
            int least = NONE;
            for (String group : groups) {
                // 4:cpu,cpuacct:/docker/3f1, or 0::/user.slice of v2
                String[] fields = group.split(":", 3);
                if (fields.length < 3) {
                    continue;
                }
                if (fields[1].isEmpty()) {
                    least = Math.min(least, ofHierarchy(root, mounts, "cgroup2", fields[2]));
                } else if (has(fields[1], "cpu")) {
                    least = Math.min(least, ofHierarchy(root, mounts, "cgroup", fields[2]));
                }
            }
            return least;
        } catch (IOException e) {
            // No /proc, or no control groups.
            return NONE;
        }
    }

    /** The least bound of the group {@code path} and those above it. */
    private static int ofHierarchy(Path root, String[] mounts, String type, String path) {
        for (String mount : mounts) {
            // 31 23 0:28 /docker/3f1 /sys/fs/cgroup/cpu ro,nosuid - cgroup cgroup rw,cpu,cpuacct
            int dash = mount.indexOf(" - ");
            if (dash < 0) {
                continue;
            }
            String[] front = mount.substring(0, dash).split(" ", -1);
            String[] back = mount.substring(dash + 3).split(" ", -1);
            if (front.length < 5 || back.length < 3 || !back[0].equals(type)) {
                continue;
            }
            if (type.equals("cgroup2") || has(back[2], "cpu")) {
                Path top = root.resolve(front[4].substring(1));
                return leastUpTo(top, groupBelow(top, front[3], path));
            }
        }
        return NONE;
    }

    /**
     * The directory of group {@code path} where the mount at {@code top} shows the group {@code
     * mounted}. In a container without a namespace for cgroups the path is the host's; what is
     * outside of the mount is shown as the mount itself.
     */
    private static Path groupBelow(Path top, String mounted, String path) {
        String below;
        if (mounted.equals("/")) {
            below = path;
        } else if (path.equals(mounted) || path.startsWith(mounted + "/")) {
            below = path.substring(mounted.length());
        } else {
            return top;
        }
        Path group = top.resolve(below.startsWith("/") ? below.substring(1) : below).normalize();
        return group.startsWith(top) && Files.isDirectory(group) ? group : top;
    }

    private static int leastUpTo(Path top, Path group) {
        int least = NONE;
        for (Path at = group; at.startsWith(top); at = at.getParent()) {
            least = Math.min(least, ofGroup(at));
            if (at.equals(top)) {
                break;
            }
        }
        return least;
    }

    private static int ofGroup(Path group) {
        try {
            Path max = group.resolve("cpu.max");
            if (Files.exists(max)) {
                // "max 100000", or "150000 100000": so many microseconds in each so many.
                String[] words = lines(max)[0].split(" ", -1);
                return words.length < 2 ? NONE : cpus(number(words[0]), number(words[1]));
            }
            Path quota = group.resolve("cpu.cfs_quota_us");
            if (Files.exists(quota)) {
                return cpus(
                        number(lines(quota)[0]),
                        number(lines(group.resolve("cpu.cfs_period_us"))[0]));
            }
        } catch (IOException e) {
            // Not for us to read: as if it were not there.
        }
        return NONE;
    }

    private static int cpus(long quota, long period) {
        if (quota <= 0 || period <= 0) {
            return NONE;
        }
        return (int) Math.min(NONE, (quota - 1) / period + 1);
    }

    /** The number that {@code text} is, or -1, as which v1 writes that there is none. */
    private static long number(String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static boolean has(String list, String word) {
        return ("," + list + ",").contains("," + word + ",");
    }

    private static String[] lines(Path file) throws IOException {
        return Files.readString(file).split("\n", -1);
    }
}

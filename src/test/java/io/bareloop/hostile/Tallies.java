package io.bareloop.hostile;

/** What the clients of a run have counted. */
record Tallies(
        Tally clients, Tally requests, Tally statuses, Tally fates, Tally bytes, Tally faults) {
    Tallies() {
        this(new Tally(), new Tally(), new Tally(), new Tally(), new Tally(), new Tally());
    }
}

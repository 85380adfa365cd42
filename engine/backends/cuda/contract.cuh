// Tree contraction by a team of threads: tips are taken off and cables are halved, round by round.
//
// Every round has two parts. First each node that is taken works out, from its own numbers, the
// factors it leaves behind; then each neighbor that stays adds up what the taken ones leave to it:
// tips and nodes out of cables below it, in descending index, then the one above it, whose place in
// the cable it takes. Taken nodes are no neighbors, so nothing is written that another thread reads.
// As in solve.cuh, what describes the tree is asked for one part ahead.
#pragma once
#include "team.cuh"

struct __align__(16) Round {
    int start;     // places start ... of the next round's start are taken
    int inner;     // where its nodes out of cables begin
    int slot;      // how many of those came in earlier rounds
    int receiver;  // its first entry in the list of receivers
};
struct __align__(8) Ends {
    int above, below;  // places of the parent and, of a node out of a cable, the only child; or -1
};
struct __align__(16) Receiver {
    int place;
    int link;        // to the first node taken below it, as links of StepTree; -1: none
    int above, slot; // place and slot of the node taken above it; -1: none
};

struct RoundTree {
    int n_node, n_step;
    const Round* round;        // (n_step + 1); the roots begin at the last
    const Ends* ends;          // (n_node)
    const Receiver* receiver;
    const int* sibling;        // (n_node) link to the next node taken below the same receiver at once
};

// What one receiver gets in a round. d, r, edge, down: as of `contract`.
__device__ __forceinline__ void receive(
    const RoundTree& t, Receiver q, double* d, double* r, double* edge, const double* down) {
    double own_d = d[q.place], own_r = r[q.place];
    for (int link = q.link; link >= 0;) {
        const int c = link >> 1;
        link = link & 1 ? t.sibling[c] : -1;
        own_d = fma(-d[c], edge[c], own_d);
        own_r = fma(edge[c], r[c], own_r);
    }
    if (q.above >= 0) {
        const double g = edge[q.place];
        own_d = fma(-down[q.slot], g, own_d);
        own_r = fma(g, r[q.above], own_r);
        edge[q.place] = g * d[q.above];
    }
    d[q.place] = own_d;
    r[q.place] = own_r;
}

// Solve; on entry d is the diagonal, r the right side, edge the conductance to the parent of every
// place, on return r is the solution. `down` is work space for the nodes out of cables. A round
// takes at most `width` nodes.
template <class Wait>
__device__ __forceinline__ void contract(
    const RoundTree& t, double* d, double* r, double* edge, double* down, int lane, int width, const Wait& wait) {
    const Receiver nobody = {0, -1, -1, -1};
    Round now = t.round[0], next = t.n_step ? t.round[1] : now;
    int p = now.start + lane, below = t.n_step && p < next.start ? t.ends[p].below : -1;
    for (int s = 0; s < t.n_step; ++s) {
        const int q = now.receiver + lane;
        const Receiver mine = q < next.receiver ? t.receiver[q] : nobody;
        if (p < next.start) {
            const double inverse = 1.0 / d[p];
            d[p] = edge[p] * inverse;
            r[p] *= inverse;
            if (below >= 0) down[now.slot + p - now.inner] = edge[below] * inverse;
        }
        wait();
        const Round after = s + 2 <= t.n_step ? t.round[s + 2] : next;
        p = next.start + lane;
        below = p < after.start ? t.ends[p].below : -1;
        if (q < next.receiver) receive(t, mine, d, r, edge, down);
        for (int more = q + width; more < next.receiver; more += width)
            receive(t, t.receiver[more], d, r, edge, down);
        now = next, next = after;
        wait();
    }
    for (p = now.start + lane; p < t.n_node; p += width) r[p] *= 1.0 / d[p];
    wait();
    next = now;
    now = t.n_step ? t.round[t.n_step - 1] : now;
    p = now.start + lane;
    Ends ends = p < next.start ? t.ends[p] : Ends{-1, -1};
    for (int s = t.n_step - 1; s >= 0; --s) {
        const Round before = s > 0 ? t.round[s - 1] : now;
        const int other = before.start + lane;
        const Ends others = other < now.start ? t.ends[other] : Ends{-1, -1};
        if (p < next.start) {
            double v = fma(d[p], r[ends.above], r[p]);
            if (ends.below >= 0) v = fma(down[now.slot + p - now.inner], r[ends.below], v);
            r[p] = v;
        }
        p = other, ends = others, next = now, now = before;
        wait();
    }
}

// What a contraction of a constant matrix leaves behind, made once: by place 1/diagonal, conductance
// to the parent at the time of taking, and the factors towards parent and child; by receiver the
// conductance to what was taken above it.
struct KeptRounds {
    const double *inverse, *edge, *factor, *down, *gain;
};

// The same with a constant matrix: r is the right side and becomes the solution.
template <class Wait>
__device__ __forceinline__ void contract_constant(
    const RoundTree& t, const KeptRounds& kept, double* r, int lane, int width, const Wait& wait) {
    Round now = t.round[0];
    for (int s = 0; s < t.n_step; ++s) {
        const Round next = t.round[s + 1];
        for (int p = now.start + lane; p < next.start; p += width) r[p] *= kept.inverse[p];
        wait();
        for (int q = now.receiver + lane; q < next.receiver; q += width) {
            const Receiver mine = t.receiver[q];
            const double gain = kept.gain[q];
            double own = r[mine.place];
            for (int link = mine.link; link >= 0;) {
                const int c = link >> 1;
                link = link & 1 ? t.sibling[c] : -1;
                own = fma(kept.edge[c], r[c], own);
            }
            if (mine.above >= 0) own = fma(gain, r[mine.above], own);
            r[mine.place] = own;
        }
        now = next;
        wait();
    }
    for (int p = now.start + lane; p < t.n_node; p += width) r[p] *= kept.inverse[p];
    wait();
    for (int s = t.n_step - 1; s >= 0; --s) {
        const Round before = t.round[s];
        for (int p = before.start + lane; p < now.start; p += width) {
            const Ends ends = t.ends[p];
            double v = fma(kept.factor[p], r[ends.above], r[p]);
            if (ends.below >= 0) v = fma(kept.down[p], r[ends.below], v);
            r[p] = v;
        }
        now = before;
        wait();
    }
}

// What every step of a cell is made of: the threads of a cell, their meetings, the tree's equations,
// the events that wait. No headers, so that it compiles at run time.
#pragma once
#include "contract.cuh"
#include "solve.cuh"

// The threads of one cell: part of a warp, a warp, or a block.
struct Team {
    int thread, threads;
    unsigned mask;  // lanes of the warp, where the team is one or a part of one
};

// Every thread's writes are seen by the team after this.
static __device__ __forceinline__ void meet(const Team team) {
    if (team.threads <= 32)
        __syncwarp(team.mask);
    else
        __syncthreads();
}

// Meet, and say whether it holds for one of them.
static __device__ __forceinline__ bool any_of(const Team team, bool holds) {
    if (team.threads > 32) return __syncthreads_or(holds) != 0;
    __syncwarp(team.mask);
    return __any_sync(team.mask, holds);
}

// Numbers by place of which the first n are near and the others far.
struct Split {
    double *near, *far;
    int n;
    __device__ __forceinline__ double& operator[](int i) const { return (i < n ? near : far)[i]; }
};

// Have the tree's equations solved by at most ``lanes`` threads: up to 32 are (part of) one warp while
// the others go ahead to the next meeting; more are the whole team.
template <class Work>
static __device__ __forceinline__ void by_lanes(const Team team, int lanes, const Work& work) {
    if (lanes <= 32) {
        if (team.thread >= lanes) return;
        const unsigned first = threadIdx.x % 32 - team.thread % 32;
        work(lanes, WarpTeam{lanes == 32 ? 0xffffffffu : ((1u << lanes) - 1u) << first});
    } else {
        work(team.threads, BlockTeam{});
    }
}

// Events that wait for one point, in no order: time and flag; the slot of the weights, the order of
// arrival, and whether the point sent it to itself.
struct Queue {
    double* value;  // (2 * room)
    int* what;      // (3 * room)
    int* count;     // events
    int* arrived;   // arrivals so far, of this point or of all that points send to
    int room;
};

static __device__ bool push(const Queue q, double time, int slot, double flag, int own) {
    const int e = q.count[0];
    if (e == q.room) return false;
    q.value[2 * e] = time;
    q.value[2 * e + 1] = flag;
    q.what[3 * e] = slot;
    q.what[3 * e + 1] = q.arrived[0]++;
    q.what[3 * e + 2] = own;
    q.count[0] = e + 1;
    return true;
}

static __device__ __forceinline__ bool before(const Queue q, int a, int b) {
    if (q.value[2 * a] != q.value[2 * b]) return q.value[2 * a] < q.value[2 * b];
    return q.what[3 * a + 1] < q.what[3 * b + 1];
}

// The first event to come, -1 where none waits.
static __device__ int first_event(const Queue q) {
    int first = q.count[0] > 0 ? 0 : -1;
    for (int e = 1; e < q.count[0]; ++e)
        if (before(q, e, first)) first = e;
    return first;
}

static __device__ void remove_event(const Queue q, int e) {
    const int last = --q.count[0];
    for (int k = 0; k < 2; ++k) q.value[2 * e + k] = q.value[2 * last + k];
    for (int k = 0; k < 3; ++k) q.what[3 * e + k] = q.what[3 * last + k];
}

// net_move: the point's event to itself with flag 1 comes at another time.
static __device__ void move_event(const Queue q, double time) {
    int found = -1;
    for (int e = 0; e < q.count[0]; ++e)
        if (q.what[3 * e + 2] == 1 && q.value[2 * e + 1] == 1.0 && (found < 0 || before(q, e, found))) found = e;
    if (found < 0) return;
    q.value[2 * found] = time;
    q.what[3 * found + 1] = q.arrived[0]++;
}

// Runs CUDA text on the CPU for tests: g++ -std=c++20 -include cuda_shim.h -x c++ kernels.cu
//
// Blocks run one after another. The threads of a block are fibers of one thread of the CPU, which
// change at barriers in a chosen order, or real threads of the system, all at once. Barriers,
// shuffles and atomics mean what they mean on a device; a barrier that can never be passed is an
// error. A block's fibers taken forward, backward and shuffled show most missing barriers; the
// thread sanitizer on real threads shows the others.
#pragma once
#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __shared__ static
#define __constant__ static
#define __align__(n) alignas(n)

struct Index {
    unsigned x, y, z;
};
static thread_local Index threadIdx, blockIdx, blockDim, gridDim;
static const int warpSize = 32;

using std::acos, std::asin, std::atan, std::atan2, std::ceil, std::cos, std::cosh, std::exp, std::expm1, std::fabs,
    std::floor, std::fma, std::fmod, std::log, std::log10, std::max, std::min, std::pow, std::sin, std::sinh,
    std::sqrt, std::tan, std::tanh;
using std::isfinite, std::isnan;

namespace shim {

enum Mode { FORWARD = 0, BACKWARD = 1, SHUFFLED = 2, THREADS = 3 };
enum { OK = 0, STUCK = 1, NO_THREADS = 2 };

// Passed when as many threads as are expected have arrived. One word holds how often it was passed,
// how many are expected and how many have come, so that real threads need no lock, which would make
// accesses look ordered that are not. For the same reason they wait for another word, that of every
// other time: the first one tells a thread that wakes up late what others have done since.
struct Barrier {
    std::atomic<uint64_t> word{0};
    std::atomic<uint64_t> opened[2]{};
    explicit Barrier(unsigned expected = 0) : word(uint64_t(expected) << 16) {}
    static uint64_t passed(uint64_t w) { return w >> 32; }
    static unsigned expected(uint64_t w) { return w >> 16 & 0xffff; }
    static unsigned arrived(uint64_t w) { return w & 0xffff; }
    uint64_t passed() const { return passed(word.load(std::memory_order_acquire)); }
    // The word with one more arrived (or one less expected), where that is all of them: passed once more.
    static uint64_t after(uint64_t w, unsigned come, unsigned gone) {
        const unsigned all = expected(w) - gone, here = arrived(w) + come;
        const bool full = here == all && all > 0;
        return (passed(w) + full) << 32 | uint64_t(all) << 16 | (full ? 0 : here);
    }
    // Returns how often it had been passed before this thread came (or left).
    uint64_t step(unsigned come, unsigned gone) {
        uint64_t old = word.load(std::memory_order_acquire);
        while (!word.compare_exchange_weak(old, after(old, come, gone), std::memory_order_acq_rel)) {
        }
        const uint64_t seen = passed(old);
        if (passed(after(old, come, gone)) != seen) opened[seen % 2].store(seen + 1, std::memory_order_release);
        return seen;
    }
    // Whether it was passed since, for real threads.
    bool open(uint64_t seen) const { return opened[seen % 2].load(std::memory_order_acquire) == seen + 1; }
};

struct Warp {
    unsigned live = 0;  // lanes that have not returned
    std::map<unsigned, Barrier> barriers;
    unsigned char exchange[32][16];
};

struct Block {
    Barrier all;
    std::vector<Warp> warps;
    std::vector<std::byte> dynamic;
    std::mutex mutex;  // of live lanes and the maps of barriers
    std::atomic<bool> stuck{false};
    unsigned number = 0;
    Block(unsigned threads) : all(threads), warps((threads + 31) / 32) {}
};

struct Stuck {};

static Block* block = nullptr;
static bool with_threads = false;

template <class T>
T* dynamic() {
    return reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(block->dynamic.data()) + 127) & ~uintptr_t(127));
}

static unsigned thread_number() { return threadIdx.x; }
static Warp& my_warp() { return block->warps[thread_number() / 32]; }

// ---- fibers

#if defined(__x86_64__)
// Saves what a call must keep on the old stack and takes it from the new one.
extern "C" void shim_switch(void** from, void* to);
asm(R"(
    .text
    .p2align 4
    .type shim_switch, @function
shim_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size shim_switch, .-shim_switch
)");
#endif

static constexpr size_t STACK = 128 * 1024;

struct Fiber {
    std::unique_ptr<std::byte[]> stack{new std::byte[STACK]};
#if defined(__x86_64__)
    void* context = nullptr;
#else
    ucontext_t context;
#endif
    Index index{};
    bool done = false;
    Barrier* waits = nullptr;
    uint64_t seen = 0;
};

struct Fibers {
    std::vector<Fiber> all;
    Fiber* now = nullptr;
    void (*body)(void*) = nullptr;
    void* argument = nullptr;
#if defined(__x86_64__)
    void* home = nullptr;
    void enter(Fiber& fiber) { shim_switch(&home, fiber.context); }
    void leave() { shim_switch(&now->context, home); }
#else
    ucontext_t home;
    void enter(Fiber& fiber) { swapcontext(&home, &fiber.context); }
    void leave() { swapcontext(&now->context, &home); }
#endif
};
static Fibers fibers;

static void leave_block();

static void fiber_main() {
    fibers.body(fibers.argument);
    leave_block();
    fibers.now->done = true;
    fibers.leave();
    std::abort();
}

static void prepare(Fiber& fiber) {
    fiber.done = false;
    fiber.waits = nullptr;
#if defined(__x86_64__)
    auto top = reinterpret_cast<uintptr_t>(fiber.stack.get() + STACK) & ~uintptr_t(63);
    auto* words = reinterpret_cast<void**>(top);
    words[-2] = reinterpret_cast<void*>(&fiber_main);  // the first return goes there, stack aligned as for a call
    for (int i = 3; i <= 8; ++i) words[-i] = nullptr;
    fiber.context = words - 8;
#else
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = STACK;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, fiber_main, 0);
#endif
}

// ---- barriers

static void wait(Barrier& barrier) {
    const uint64_t seen = barrier.step(1, 0);
    if (!with_threads) {
        if (barrier.passed() != seen) return;
        fibers.now->waits = &barrier;
        fibers.now->seen = seen;
        fibers.leave();
        if (block->stuck) throw Stuck{};
        return;
    }
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!barrier.open(seen)) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() > limit) block->stuck.store(true, std::memory_order_relaxed);
        if (block->stuck.load(std::memory_order_relaxed)) throw Stuck{};
    }
}

static std::unique_lock<std::mutex> guard() {
    return with_threads ? std::unique_lock(block->mutex) : std::unique_lock<std::mutex>();
}

// The barrier of some lanes of a warp; a thread looks for it once.
static Barrier& lanes_barrier(unsigned mask) {
    static thread_local std::map<unsigned, Barrier*> known;
    static thread_local unsigned of_block = 0;
    if (with_threads) {
        if (of_block != block->number) known.clear();
        of_block = block->number;
        if (auto found = known.find(mask); found != known.end()) return *found->second;
    }
    auto lock = guard();
    Warp& warp = my_warp();
    Barrier& barrier = warp.barriers.try_emplace(mask, std::popcount(mask & warp.live)).first->second;
    if (with_threads) known[mask] = &barrier;
    return barrier;
}

static void wait_warp(unsigned mask) { wait(lanes_barrier(mask)); }

// A thread returns: nobody waits for it any longer.
static void leave_block() {
    auto lock = guard();
    Warp& warp = my_warp();
    const unsigned mine = 1u << (thread_number() % 32);
    warp.live &= ~mine;
    block->all.step(0, 1);
    for (auto& [mask, barrier] : warp.barriers)
        if (mask & mine) barrier.step(0, 1);
}

// ---- launches

static bool run_fibers(unsigned threads, std::vector<unsigned>& order, Mode mode, std::mt19937& random) {
    for (unsigned i = 0; i < threads; ++i) {
        fibers.all[i].index = {i, 0, 0};
        prepare(fibers.all[i]);
    }
    for (unsigned left = threads; left > 0;) {
        if (mode == SHUFFLED) std::shuffle(order.begin(), order.end(), random);
        bool moved = false;
        for (unsigned i : order) {
            Fiber& fiber = fibers.all[i];
            if (fiber.done || (fiber.waits && fiber.waits->passed() == fiber.seen && !block->stuck)) continue;
            moved = true;
            fiber.waits = nullptr;
            fibers.now = &fiber;
            threadIdx = fiber.index;
            fibers.enter(fiber);
            left -= fiber.done;
        }
        if (!moved) block->stuck = true;  // every fiber ends by an exception now
    }
    return !block->stuck;
}

static void open(Block& next, unsigned threads, unsigned shared) {
    static unsigned count = 0;
    next.number = ++count;
    for (unsigned i = 0; i < threads; ++i) next.warps[i / 32].live |= 1u << (i % 32);
    next.dynamic.assign(shared + 128, std::byte(0xff));  // NaN: shared memory is not cleared
    block = &next;
}

template <class Body>
int run(unsigned grid, unsigned threads, unsigned shared, Mode mode, unsigned seed, Body body) {
    if (threads == 0 || threads > 1024 || grid == 0) return NO_THREADS;
    with_threads = mode == THREADS;
    auto guarded = [&body] {
        try {
            body();
        } catch (const Stuck&) {
        }
    };
    std::mt19937 random(seed);
    std::vector<unsigned> order(threads);
    std::iota(order.begin(), order.end(), 0u);
    if (mode == BACKWARD) std::reverse(order.begin(), order.end());
    if (!with_threads && fibers.all.size() < threads) fibers.all.resize(threads);
    fibers.body = [](void* p) { (*static_cast<decltype(guarded)*>(p))(); };
    fibers.argument = &guarded;
    gridDim = {grid, 1, 1};
    blockDim = {threads, 1, 1};
    for (unsigned b = 0; b < grid; ++b) {
        Block here(threads);
        open(here, threads, shared);
        blockIdx = {b, 0, 0};
        bool fine = true;
        if (with_threads) {
            std::vector<std::thread> all;
            for (unsigned i = 0; i < threads; ++i)
                all.emplace_back([&, i] {
                    gridDim = {grid, 1, 1};
                    blockDim = {threads, 1, 1};
                    blockIdx = {b, 0, 0};
                    threadIdx = {i, 0, 0};
                    guarded();
                    leave_block();
                });
            for (auto& thread : all) thread.join();
            fine = !here.stuck;
        } else {
            fine = run_fibers(threads, order, mode, random);
        }
        block = nullptr;
        if (!fine) return STUCK;
    }
    return OK;
}

template <class... Arguments, size_t... I>
int call(void (*kernel)(Arguments...), unsigned grid, unsigned threads, unsigned shared, int mode, unsigned seed,
         void** given, std::index_sequence<I...>) {
    std::tuple<std::decay_t<Arguments>...> values{*static_cast<std::decay_t<Arguments>*>(given[I])...};
    return run(grid, threads, shared, Mode(mode), seed, [&] { kernel(std::get<I>(values)...); });
}

template <class... Arguments>
int start(void (*kernel)(Arguments...), unsigned grid, unsigned threads, unsigned shared, int mode, unsigned seed,
          void** given) {
    return call(kernel, grid, threads, shared, mode, seed, given, std::index_sequence_for<Arguments...>{});
}

template <class T>
T exchange(unsigned mask, T value, unsigned from) {
    static_assert(sizeof(T) <= 16);
    Warp& warp = my_warp();
    std::memcpy(warp.exchange[thread_number() % 32], &value, sizeof(T));
    wait_warp(mask);
    if (from < 32 && (mask >> from & 1)) std::memcpy(&value, warp.exchange[from], sizeof(T));
    wait_warp(mask);
    return value;
}

template <class T, class Change>
T change(T* place, Change next) {
    std::atomic_ref<T> shared(*place);
    T old = shared.load();
    while (!shared.compare_exchange_weak(old, next(old))) {
    }
    return old;
}

}  // namespace shim

// ---- what kernels call

static inline void __syncthreads() { shim::wait(shim::block->all); }
static inline void __syncwarp(unsigned mask = ~0u) { shim::wait_warp(mask); }
static inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
static inline void __threadfence_block() { __threadfence(); }

template <class T>
T __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
    const int mine = threadIdx.x % 32;
    return shim::exchange(mask, value, (mine & ~(width - 1)) | (lane & (width - 1)));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
    const unsigned mine = threadIdx.x % 32;
    return shim::exchange(mask, value, mine % width >= by ? mine - by : mine);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
    const unsigned mine = threadIdx.x % 32;
    return shim::exchange(mask, value, mine % width + by < unsigned(width) ? mine + by : mine);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
    const unsigned mine = threadIdx.x % 32, other = mine ^ bits;
    return shim::exchange(mask, value, other / width <= mine / width ? other : mine);
}
static inline unsigned __ballot_sync(unsigned mask, int holds) {
    unsigned found = 0;
    for (unsigned lane = 0; lane < 32; ++lane) {
        const int other = shim::exchange(mask, int(holds != 0), lane);
        if (mask & (1u << lane)) found |= unsigned(other) << lane;
    }
    return found;
}
static inline int __any_sync(unsigned mask, int holds) { return __ballot_sync(mask, holds) != 0; }
static inline int __all_sync(unsigned mask, int holds) { return __ballot_sync(mask, !holds) == 0; }
static inline int __syncthreads_or(int holds) {
    __shared__ std::atomic<int> any;
    if (threadIdx.x == 0) any = 0;
    __syncthreads();
    if (holds) any = 1;
    __syncthreads();
    const int found = any;
    __syncthreads();
    return found;
}
static inline unsigned __activemask() { return shim::my_warp().live; }
static inline int __popc(unsigned x) { return std::popcount(x); }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline int __clz(int x) { return std::countl_zero(unsigned(x)); }

template <class T>
T atomicAdd(T* place, std::type_identity_t<T> by) {
    return shim::change(place, [by](T old) { return T(old + by); });
}
template <class T>
T atomicMax(T* place, std::type_identity_t<T> other) {
    return shim::change(place, [other](T old) { return std::max(old, other); });
}
template <class T>
T atomicMin(T* place, std::type_identity_t<T> other) {
    return shim::change(place, [other](T old) { return std::min(old, other); });
}
template <class T>
T atomicExch(T* place, std::type_identity_t<T> other) {
    return shim::change(place, [other](T) { return other; });
}
template <class T>
T atomicCAS(T* place, std::type_identity_t<T> expected, std::type_identity_t<T> other) {
    std::atomic_ref<T>(*place).compare_exchange_strong(expected, other);
    return expected;
}

template <class T>
T __ldg(const T* place) {
    return *place;
}
template <class T>
T __ldcg(const T* place) {
    return *place;
}
template <class T>
void __stcg(T* place, std::type_identity_t<T> value) {
    *place = value;
}
static inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __dadd_rn(double a, double b) { return a + b; }

// One thread after another, blocks in order: right for kernels without barriers.
template <class Kernel, class... Arguments>
static void launch(unsigned blocks, unsigned threads, Kernel kernel, Arguments... arguments) {
    gridDim = {blocks, 1, 1};
    blockDim = {threads, 1, 1};
    for (unsigned block = 0; block < blocks; ++block)
        for (unsigned thread = 0; thread < threads; ++thread) {
            blockIdx = {block, 0, 0};
            threadIdx = {thread, 0, 0};
            kernel(arguments...);
        }
}

// One thread a cell, cells interleaved: CoreNEURON's cell permutation 1 (Kumbhar et al. 2019).
//
// The j-th nodes of all cells lie side by side, the largest cell first, so stride[j] cells have one.
// The matrix is kept as there: a and b below and above the diagonal, the parent's place of every node.
extern "C" __global__ void permute1(
    int n_cell, int n_stride, const int* stride, const int* size, const int* last, const int* parent,
    const double* a, const double* b, double* d, double* rhs) {
    const int cell = blockIdx.x * blockDim.x + threadIdx.x;
    if (cell >= n_cell) return;
    int i = last[cell];
    const int n = size[cell];
    for (int j = n_stride - 1; j > 0; --j) {
        if (j < n) {
            const int up = parent[i];
            const double p = a[i] / d[i];
            d[up] = fma(-p, b[i], d[up]);
            rhs[up] = fma(-p, rhs[i], rhs[up]);
            i -= stride[j - 1];
        }
    }
    rhs[i] /= d[i];
    for (int j = 1; j < n; ++j) {
        i += stride[j - 1];
        rhs[i] = fma(-b[i], rhs[parent[i]], rhs[i]) / d[i];
    }
}

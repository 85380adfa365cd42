TITLE Inhibitory synapse of GABA-A receptors

COMMENT
Rise, decay and reversal as for the striatal projection neurons of Lindroos R, Dorst MC, Du K, Filipovic M, Keller D,
Ketzef M, Kozlov AK, Kumar A, Lindahl M, Nair AG, Perez-Fernandez J, Grillner S, Silberberg G, Hellgren Kotaleski J
(2018) Basal ganglia neuromodulation over multiple temporal and structural scales. Front Neural Circuits 12:3, ModelDB
237653, at 35 degC and without their short-term depression. The conductance has its peak at the weight.
ENDCOMMENT

NEURON {
    POINT_PROCESS GABA_A
    RANGE tau1, tau2, e, g, i
    NONSPECIFIC_CURRENT i
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (nA) = (nanoamp)
    (uS) = (microsiemens)
}

PARAMETER {
    tau1 = 0.25 (ms) <1e-9, 1e9>   : of the rise
    tau2 = 3.75 (ms) <1e-9, 1e9>   : of the decay
    e = -60 (mV)                  : reversal
}

STATE {
    A (uS)   : falls with the rise
    B (uS)   : falls with the decay
}

ASSIGNED {
    v (mV)
    g (uS)
    i (nA)
    rise (ms)
    factor
}

INITIAL {
    rise = tau1
    IF (rise / tau2 > 0.9999) {   : the two must differ
        rise = 0.9999 * tau2
    }
    IF (rise / tau2 < 1e-9) {
        rise = 1e-9 * tau2
    }
    factor = scale(rise, tau2)
    A = 0
    B = 0
}

BREAKPOINT {
    SOLVE decay METHOD cnexp
    g = B - A
    i = g * (v - e)
}

DERIVATIVE decay {
    A' = -A / rise
    B' = -B / tau2
}

NET_RECEIVE(weight (uS)) {
    A = A + weight * factor
    B = B + weight * factor
}

: 1 / peak of exp(-t / fall) - exp(-t / rise), which it has at t = ln(fall / rise) rise fall / (fall - rise)
FUNCTION scale(rise (ms), fall (ms)) {
    LOCAL peak
    peak = rise * fall / (fall - rise) * log(fall / rise)
    scale = 1 / (exp(-peak / fall) - exp(-peak / rise))
}

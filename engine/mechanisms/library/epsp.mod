TITLE Current of the shape of an excitatory synaptic potential

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653: from onset
on, the difference of two exponentials with its peak at imax flows into the cell.
ENDCOMMENT

NEURON {
    POINT_PROCESS epsp
    RANGE onset, tau0, tau1, imax, i
    NONSPECIFIC_CURRENT i
    THREADSAFE
}

UNITS {
    (nA) = (nanoamp)
}

PARAMETER {
    onset = 0 (ms)                 : when it begins
    tau0 = 0.2 (ms) <1e-9, 1e9>    : of the rise
    tau1 = 3 (ms) <1e-9, 1e9>      : of the decay
    imax = 0 (nA)                  : peak, into the cell
}

ASSIGNED {
    i (nA)
}

BREAKPOINT {
    LOCAL since, peak, factor
UNITSOFF
    since = t - onset
    peak = tau0 * tau1 / (tau0 - tau1) * log(tau0 / tau1)
    factor = imax / (exp(-peak / tau1) - exp(-peak / tau0))
    IF (since < 0) {
        i = 0
    } ELSE {
        i = -factor * (exp(-since / tau1) - exp(-since / tau0))
    }
UNITSON
}

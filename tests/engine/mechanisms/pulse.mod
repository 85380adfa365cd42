TITLE A synapse with every kind of event, for tests

COMMENT
No synapse of nature: it depresses per connection, opens for a while (net_send, net_move), reports spikes
(net_event) and watches the voltage.
ENDCOMMENT

NEURON {
    POINT_PROCESS Pulse
    USEION ca READ cai WRITE ica
    NONSPECIFIC_CURRENT i
    RANGE e, tau, open, seen, high, count, last
    POINTER drive
    GLOBAL width
}

PARAMETER {
    e = -5 (mV)
    tau = 3 (ms) <1e-9, 1e9>
    high = -40 (mV)
    width = 2 (ms)
    fraction = 0.25
}

ASSIGNED {
    v (mV)
    i (nA)
    ica (mA/cm2)
    cai (mM)
    open
    seen
    count
    last (ms)
    drive
}

STATE { g (uS) }

INITIAL {
    open = 0
    seen = 0
    count = 0
    last = -1
    g = 0
    if (tau > 1) {
        net_send(0, 2)
    }
    net_send(7.5, 4)
}

BREAKPOINT {
    SOLVE decay METHOD cnexp
    i = (g + 1e-3 * open + drive) * (v - e) / (1 + exp(-0.062 * v) / 3.57)
    ica = fraction * g * (v - 100) * cai / (cai + 1)
}

DERIVATIVE decay { g' = -g / tau }

NET_RECEIVE(w (uS), left, previous (ms)) {
    INITIAL {
        left = 1
        previous = t - 10
    }
    if (flag == 0) {
        left = 1 - (1 - left * 0.6) * exp(-(t - previous) / 20)
        previous = t
        state_discontinuity(g, g + w * left)
        count = count + 1
        if (open == 0) {
            open = 1
            net_send(width, 1)
        } else {
            net_move(t + width)
        }
    } else if (flag == 2) {
        WATCH (v > high) 3
    } else if (flag == 1) {
        open = 0
        net_event(t)
    } else if (flag == 3) {
        seen = seen + 1
        last = t
        WATCH (v < high) 5
    } else if (flag == 4) {
        g = g + 5e-4
    } else {
        seen = seen + 100
        WATCH (v > high + 1) 3
    }
}

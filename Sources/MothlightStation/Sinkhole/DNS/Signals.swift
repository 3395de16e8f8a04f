import Glibc

/// Signals taken one by one by the thread that wants them, instead of by a handler that may run anywhere.
public enum Signals {
  private static var wanted: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGHUP, SIGTERM, SIGINT] { sigaddset(&set, signal) }
    return set
  }

  /// To be called before any thread is started, so that all inherit it.
  public static func holdBack() {
    var set = wanted
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Waits for SIGHUP alone; others are left for whoever wants them.
  public static func waitForHangup() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGHUP)
    var signal: Int32 = 0
    sigwait(&set, &signal)
  }

  /// The next one, or `nil` when none came in time.
  public static func next(withinMilliseconds wait: Int) -> Int32? {
    var set = wanted
    var time = timespec(tv_sec: wait / 1000, tv_nsec: wait % 1000 * 1_000_000)
    let signal = sigtimedwait(&set, nil, &time)
    return signal > 0 ? signal : nil
  }
}

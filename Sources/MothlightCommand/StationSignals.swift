import Foundation

/// Signals as a stream, by a pipe that the handler writes to.
///
/// `Signals` blocks them in every thread, which takes being called before there are threads; a command that is asynchronous
/// begins in one of several.
enum StationSignals {
  // Written once, before a handler can run; a handler may touch nothing else.
  nonisolated(unsafe) private static var writing: Int32 = -1

  /// SIGHUP, SIGTERM and SIGINT from now on.
  static func stream() throws -> AsyncStream<Int32> {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
      throw Failure("no pipe for signals: \(String(cString: strerror(errno)))")
    }
    writing = ends[1]
    // A full pipe must not hold up the handler.
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    for number in [SIGHUP, SIGTERM, SIGINT] {
      signal(number) { number in
        let kept = errno
        var octet = UInt8(truncatingIfNeeded: number)
        _ = write(StationSignals.writing, &octet, 1)
        errno = kept
      }
    }
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
    let reading = ends[0]
    let thread = Thread {
      var octet: UInt8 = 0
      while true {
        let count = read(reading, &octet, 1)
        if count == 1 { continuation.yield(Int32(octet)) }
        if count == 0 || (count < 0 && errno != EINTR) { break }
      }
      continuation.finish()
    }
    thread.name = "signals"
    thread.start()
    return stream
  }
}

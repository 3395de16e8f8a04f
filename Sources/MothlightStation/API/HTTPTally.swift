import HTTPTypes
import Hummingbird
import Mothlight
import Synchronization

/// Counts what the server answered and how long that took, for metrics.
public final class HTTPTally: Sendable {
  /// Upper bounds of the buckets, in seconds.
  static let bounds = [0.005, 0.025, 0.1, 0.25, 1, 5]

  struct Counts: Sendable {
    /// Answers by status.
    var byStatus: [Int: UInt64] = [:]
    /// Answers by bound of time; the last is for those beyond.
    var buckets = [UInt64](repeating: 0, count: bounds.count + 1)
    var seconds = 0.0
    /// Connections now, and those that left for others so far.
    var connections = 0
    var sentAway: UInt64 = 0
  }
  private let state = Mutex(Counts())
  private let room = Mutex<ConnectionRoom?>(nil)

  public init() {}

  var counts: Counts {
    var counts = state.withLock { $0 }
    if let room = room.withLock({ $0 }) { (counts.connections, counts.sentAway) = (room.count, room.sentAway) }
    return counts
  }

  func watch(_ room: ConnectionRoom) { self.room.withLock { $0 = room } }

  func count(status: Int, seconds: Double) {
    state.withLock { counts in
      // Only what can be a status: the table cannot grow beyond.
      counts.byStatus[(100...599).contains(status) ? status : 0, default: 0] &+= 1
      counts.buckets[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] &+= 1
      counts.seconds += seconds
    }
  }
}

/// The outermost layer: sees every answer with its final status.
struct TallyMiddleware: RouterMiddleware {
  let tally: HTTPTally

  func handle(
    _ request: Request, context: StationContext, next: (Request, StationContext) async throws -> Response
  ) async throws -> Response {
    let clock = ContinuousClock()
    let start = clock.now
    func seconds() -> Double {
      let duration = start.duration(to: clock.now).components
      return Double(duration.seconds) + Double(duration.attoseconds) * 1e-18
    }
    do {
      let response = try await next(request, context)
      tally.count(status: response.status.code, seconds: seconds())
      return response
    } catch {
      tally.count(status: (error as? any HTTPResponseError)?.status.code ?? 500, seconds: seconds())
      throw error
    }
  }
}

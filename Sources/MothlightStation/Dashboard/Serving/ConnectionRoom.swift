import NIOCore
import Synchronization

/// Room for so many connections, and who leaves when it fills: who has kept us waiting longest.
///
/// A connection keeps us waiting from when it opens until its request is whole, between requests, and while it takes nothing of a
/// reply. One for which we are at work, or that waits for events of ours, stays. So clients that only hold places make room for
/// each other, and who asks at once is answered at once, however many they are.
final class ConnectionRoom: Sendable {
  /// One connection's place.
  final class Place: Sendable {
    /// Since when it has kept us waiting, nanoseconds of the event loops' clock; 0: it does not.
    private let since: Atomic<UInt64>
    fileprivate let leave: @Sendable () -> Void

    fileprivate init(_ leave: @escaping @Sendable () -> Void) {
      since = Atomic(NIODeadline.now().uptimeNanoseconds)
      self.leave = leave
    }

    /// It is the client's turn.
    func waits() { since.store(max(1, NIODeadline.now().uptimeNanoseconds), ordering: .relaxed) }
    /// It is ours.
    func works() { since.store(0, ordering: .relaxed) }

    /// Since when, if it may be sent away.
    fileprivate var waitingSince: UInt64? {
      let value = since.load(ordering: .relaxed)
      return value > 0 ? value : nil
    }
  }

  private struct State {
    var places: [ObjectIdentifier: Place] = [:]
    var sentAway: UInt64 = 0
  }
  private let most: Int
  private let state = Mutex(State())

  /// - Parameter most: connections beyond which one leaves for each that comes.
  init(most: Int) { self.most = most }

  var count: Int { state.withLock { $0.places.count } }
  /// Connections that left for others so far.
  var sentAway: UInt64 { state.withLock { $0.sentAway } }

  /// A place for a new connection; if that is one too many, another is told to leave.
  ///
  /// - Parameter leave: closes the connection; called at most once, from any thread.
  /// - Complexity: linear in the places when there is no room, constant otherwise.
  func enter(leave: @escaping @Sendable () -> Void) -> Place {
    let place = Place(leave)
    let other = state.withLock { state -> Place? in
      defer { state.places[ObjectIdentifier(place)] = place }
      guard state.places.count >= most else { return nil }
      var longest: (key: ObjectIdentifier, since: UInt64)?
      for (key, place) in state.places {
        guard let since = place.waitingSince, since < longest?.since ?? .max else { continue }
        longest = (key, since)
      }
      guard let longest else { return nil }
      state.sentAway &+= 1
      return state.places.removeValue(forKey: longest.key)
    }
    other?.leave()
    return place
  }

  func left(_ place: Place) { state.withLock { _ = $0.places.removeValue(forKey: ObjectIdentifier(place)) } }
}

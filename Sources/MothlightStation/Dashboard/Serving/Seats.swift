import Synchronization

/// Room for so many replies at once that last: streams of rows and of events.
final class Seats: Sendable {
  /// Given back when nobody holds it any more, sent or not.
  final class Seat: Sendable {
    private let seats: Seats
    fileprivate init(_ seats: Seats) { self.seats = seats }
    deinit { seats.taken.withLock { $0 -= 1 } }
  }

  private let most: Int
  private let taken = Mutex(0)

  init(most: Int) { self.most = most }

  /// `nil` when all are taken.
  func take() -> Seat? {
    let isFree = taken.withLock { count in
      guard count < most else { return false }
      count += 1
      return true
    }
    return isFree ? Seat(self) : nil
  }
}

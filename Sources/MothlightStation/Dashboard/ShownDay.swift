import Mothlight

/// The day that the first page shows when none is asked for; the API answers for the same.
struct ShownDay: Sendable, Equatable {
  /// Days of the first page's strip and of trends, the day shown among them.
  static let days = 30

  /// UTC days since the epoch.
  let day: Int
  /// Set when it is the day before the latest, which has only begun.
  let young: YoungDay?

  /// The newest day that is kept and not in the future: today, or the end of an old capture.
  static func latest(in store: any Store, at time: Timestamp) async throws(StoreError) -> Int {
    let today = time.day
    var query = HostDayQuery()
    query.days = 0...max(0, today)
    query.order = .newest
    return try await store.hostDays(query, after: nil, limit: 1).rows.first?.day ?? today
  }

  static func first(in store: any Store, at time: Timestamp) async throws(StoreError) -> ShownDay {
    let latest = try await Self.latest(in: store, at: time)
    guard latest == time.day else { return ShownDay(day: latest, young: nil) }
    // The question that the page itself asks: it is answered once for both.
    let overview = try await store.overview(day: latest, days: days)
    let young = YoungDay(overview, at: time)
    return ShownDay(day: young == nil ? latest : latest - 1, young: young)
  }
}

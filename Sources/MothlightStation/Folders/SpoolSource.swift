import Crypto
import Mothlight

/// Who takes what a sinkhole recorded, e.g. the rollups of the census.
public protocol SpoolConsumer: Sendable {
  /// - Parameters:
  ///   - spool: the folder that the records come from.
  ///   - sensor: as its segments name it.
  func take(_ records: [SpoolRecord], spool: String, sensor: String) async
}

extension CensusDesk: SpoolConsumer {
  public func take(_ records: [SpoolRecord], spool: String, sensor: String) { take(records, from: sensor) }
}

/// The spool folder of a sinkhole, or a folder that holds several.
public struct SpoolSettings: Sendable, Hashable {
  /// Of the source, unique within a station.
  public var name: String
  public var path: String
  /// Where it is kept how far each spool was read; its folder must be there. `nil`: read from the beginning at each start, for a
  /// consumer that keeps nothing either.
  public var positionsPath: String?
  /// The rollups lose what they had since they were written last, so by default they say what is safe.
  public var keeping = PositionKeeping.whenTold
  public var pollSeconds = 1.0
  /// Follow the raw samples, too; a census needs none.
  public var takesSamples = false

  public init(name: String, path: String, positionsPath: String? = nil) {
    self.name = name
    self.path = path
    self.positionsPath = positionsPath
  }
}

/// Follows the spools of a sinkhole while they are written: every record whose block agrees with its chain, once.
///
/// Its sources are strangers, so it gives no observations of our hosts; the records go to a consumer.
public final class SpoolSource: LiveSource {
  public let settings: SpoolSettings
  public let meter: SourceMeter
  public var name: String { settings.name }
  private let keeper: PositionKeeper
  private let consumer: any SpoolConsumer

  public init(_ settings: SpoolSettings, consumer: any SpoolConsumer) {
    self.settings = settings
    self.consumer = consumer
    meter = SourceMeter(name: settings.name, kind: "spool", place: settings.path, at: Clock.now())
    keeper = PositionKeeper(path: settings.positionsPath, keeping: settings.keeping)
  }

  /// Everything given so far is safe, and not to be given again after a restart.
  public func commit() { keeper.commit() }

  private struct Followed {
    var tail: SpoolTail
    var key: String
    var troublesSaid: UInt64 = 0
  }

  /// - Throws: `notFound` without a spool; `unreadable`, `unavailable` of its positions.
  public func run(into sink: any ObservationSink) async throws(SourceError) {
    try keeper.open()
    var followed: [String: Followed] = [:]
    var isRunning = false
    while !Task.isCancelled {
      let spools = SpoolTail.spools(at: settings.path)
      guard !spools.isEmpty || isRunning else {
        throw SourceError(
          .notFound, "\(settings.path): holds no spool yet; give the folder that `mothlight sinkhole` writes")
      }
      if !isRunning {
        meter.update { $0.trouble = nil }
        meter.enter(.running, at: Clock.now())
        isRunning = true
      }
      for folder in spools { begin(folder, &followed) }
      var mayHaveMore = false
      for name in followed.keys.sorted() where !Task.isCancelled {
        guard var spool = followed[name] else { continue }
        if await pass(&spool) { mayHaveMore = true }
        followed[name] = spool
      }
      keeper.synchronise()
      if !mayHaveMore { try? await Task.sleep(for: .seconds(settings.pollSeconds)) }
    }
  }

  private func begin(_ folder: String, _ followed: inout [String: Followed]) {
    for samples in settings.takesSamples ? [false, true] : [false] {
      let name = "\(folder) \(samples)"
      guard followed[name] == nil else { continue }
      let key = "spool:\(samples ? "samples" : "sightings"):\(ContentKey.digest(folder.utf8))"
      let mark = keeper.mark(key)
      // `lines` is the number of the segment.
      let place = SpoolTail.Place(sequence: mark?.lines ?? 0, octets: mark?.octets ?? 0)
      followed[name] = Followed(tail: SpoolTail(folder: folder, samples: samples, from: place), key: key)
    }
  }

  /// Gives what is there of one spool; whether there may be more.
  private func pass(_ spool: inout Followed) async -> Bool {
    var records: [SpoolRecord] = []
    let (before, octetsBefore) = (spool.tail.place, spool.tail.octetsRead)
    let mayHaveMore = spool.tail.read { records.append($0) }
    if !records.isEmpty { await consumer.take(records, spool: spool.tail.folder, sensor: spool.tail.sensor) }
    let place = spool.tail.place
    if place != before { keeper.put(spool.key, octets: place.octets, lines: place.sequence) }
    let said = spool.tail.troublesSaid
    let trouble = said > spool.troublesSaid ? spool.tail.troubles.last : nil
    spool.troublesSaid = said
    let newest = records.compactMap { Self.time(of: $0) }.max()
    let (count, folder) = (UInt64(records.count), spool.tail.folder)
    let octets = spool.tail.octetsRead &- octetsBefore
    meter.update { health in
      health.records &+= count
      health.used &+= count
      health.octets &+= octets
      if let newest { health.newest = max(newest, health.newest ?? newest) }
      if let trouble { health.trouble = trouble }
      health.details[folder] = "segment \(place.sequence), octet \(place.octets)"
    }
    return mayHaveMore
  }

  private static func time(of record: SpoolRecord) -> Timestamp? {
    switch record {
    case .sighting(let sighting): sighting.last
    case .sample(let sample, _): sample.time
    case .dnsCount(let count): Timestamp(seconds: Int64(count.hour) * 3600)
    case .notice(let notice): notice.time
    }
  }
}

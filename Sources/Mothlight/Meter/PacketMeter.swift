/// Frames of a live wire to observations, in the calling thread and without a copy of a frame.
///
/// One thread owns it. Times are those of the frames; `advance` lets time pass while none come.
public final class PacketMeter {
  /// A frame as it was captured; its octets are read during the call only.
  public struct Frame {
    public var octets: UnsafeRawBufferPointer
    /// Octets on the wire, captured or not.
    public var length: Int
    public var time: Timestamp
    public init(octets: UnsafeRawBufferPointer, length: Int, time: Timestamp) {
      self.octets = octets
      self.length = length
      self.time = time
    }
  }

  /// What became of the frames.
  public struct Counts: Sendable, Hashable {
    public var frames: UInt64 = 0
    public var octets: UInt64 = 0
    /// Without an IP packet: ARP, LLDP...
    public var notIP: UInt64 = 0
    /// Too short for their headers, or no valid IP.
    public var unparsed: UInt64 = 0
    /// Flows reported early because `Limits.openFlows` were open.
    public var flowsEvicted: UInt64 = 0
    /// Connections whose content was not looked at because too many were open.
    public var streamsRefused: UInt64 = 0
    public var flowsOpen = 0
    /// Time of the newest frame.
    public var newest: Timestamp?
    public init() {}
  }

  /// Frames whose look-ups are started together, as for files: the waits for memory overlap.
  public static let framesMost = 32
  /// Entries that `advance` looks at in one call: a million flows are visited within 16 calls, and a call takes below 1 ms.
  private static let visits = 1 << 16

  private struct Held {
    var headers: PacketHeaders
    var key: Meter.Key
    var frame: Int
    var record: UInt64
  }

  private let link: LinkType
  /// Behind a pointer: a stored property of a class would be checked for exclusive access at every frame.
  private let meter: UnsafeMutablePointer<Meter>
  private var held: [Held] = []
  private var totals = Counts()

  /// - Parameters:
  ///   - input: goes into `RecordOrigin.input`; its record is the number of the frame.
  ///   - link: LINKTYPE of tcpdump.org, one of those that captures may have.
  ///   - activeTimeoutSeconds: after so long a part of an open flow is reported.
  public init(input: UInt32, link: UInt16, flowsMost: Int = Limits.openFlows, activeTimeoutSeconds: Double = 120) {
    self.link = LinkType(rawValue: link)
    let timeout = Int64(max(1, min(86_400, activeTimeoutSeconds)) * 1e9)
    meter = .allocate(capacity: 1)
    meter.initialize(to: Meter(input: input, limit: max(1, flowsMost), activeTimeout: timeout))
    held.reserveCapacity(Self.framesMost)
  }

  deinit {
    meter.deinitialize(count: 1)
    meter.deallocate()
  }

  /// Whether frames of this LINKTYPE can be read.
  public static func reads(link: UInt16) -> Bool { LinkType.supported.contains(LinkType(rawValue: link)) }

  public var counts: Counts {
    var counts = totals
    counts.flowsEvicted = meter.pointee.evicted
    counts.streamsRefused = meter.pointee.streamsRefused
    counts.flowsOpen = meter.pointee.table.count
    return counts
  }

  /// Takes frames in about the order of their times.
  /// - Complexity: O(1) a frame.
  public func add(_ frames: UnsafeBufferPointer<Frame>, into batch: inout [Observation]) {
    var at = 0
    while at < frames.count {
      let end = min(frames.count, at &+ Self.framesMost)
      add(frames, at..<end, into: &batch)
      at = end
    }
  }

  private func add(_ frames: UnsafeBufferPointer<Frame>, _ range: Range<Int>, into batch: inout [Observation]) {
    var held = self.held
    self.held = []
    var totals = self.totals
    held.removeAll(keepingCapacity: true)
    for n in range { decode(frames[n], n, &totals, into: &held) }
    self.totals = totals
    let ahead = min(held.count, Meter.entriesAhead)
    for packet in held[..<ahead] { meter.pointee.table.prefetchEntry(packet.key.tag) }
    for (n, packet) in held.enumerated() {
      if n &+ ahead < held.count { meter.pointee.table.prefetchEntry(held[n &+ ahead].key.tag) }
      if n &+ Meter.streamsAhead < held.count {
        meter.pointee.prefetchStream(at: held[n &+ Meter.streamsAhead].key.tag)
      }
      let frame = frames[packet.frame]
      meter.pointee.add(
        packet.headers, packet.key, frame.octets.bytes, at: frame.time, record: packet.record, into: &batch)
    }
    self.held = held
  }

  @inline(__always)
  private func decode(_ frame: Frame, _ n: Int, _ totals: inout Counts, into held: inout [Held]) {
    totals.frames &+= 1
    totals.octets &+= UInt64(truncatingIfNeeded: frame.length)
    if totals.newest.map({ frame.time > $0 }) ?? true { totals.newest = frame.time }
    var headers = PacketHeaders()
    switch PacketDecoder.decode(frame.octets.bytes, link: link, into: &headers) {
    case .decoded:
      let key = meter.pointee.key(&headers)
      meter.pointee.table.prefetchSlot(key.tag)
      held.append(Held(headers: headers, key: key, frame: n, record: totals.frames))
    case .notIP: totals.notIP &+= 1
    case .truncated, .malformed: totals.unparsed &+= 1
    }
  }

  /// Lets time pass: reports flows that have ended by silence, and parts of long ones. Call it a few times a second.
  /// - Parameter now: by the clock that stamps the frames, less the time that frames may be under way.
  public func advance(to now: Timestamp, into batch: inout [Observation]) {
    meter.pointee.sweep(at: now.nanoseconds, visits: Self.visits, into: &batch)
  }

  /// Reports open flows, oldest first, about `limit` a call; `false` when none is left. Nothing may be added after it.
  public func finish(into batch: inout [Observation], limit: Int = Limits.batch) -> Bool {
    meter.pointee.finish(into: &batch, limit: limit)
  }
}

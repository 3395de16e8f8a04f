import Glibc

/// Writes a spool: hash-chained, signed segment files that a crash costs at most ten seconds of.
///
/// Records gather in a block; a block is written and made durable when it is five seconds old or 256 KiB large. A full disk
/// stops the writing, is tried again after one second, then two, up to a minute, and what was lost is counted and told in
/// the next segment. Not thread-safe: one thread owns it. Layout: docs/spool.md.
public final class SpoolWriter: SpoolSink {
  public struct Options: Sendable {
    public var sensor: String
    /// A segment is sealed when it is this large.
    public var segmentOctetsMost = 64 << 20
    /// A segment is sealed when it is this old, seconds.
    public var segmentSecondsMost = 3600.0
    /// A block is written when its oldest record is this old, seconds.
    public var blockSecondsMost = SpoolWriter.blockSeconds
    /// Samples are deleted after so many days; 0 keeps them.
    public var sampleDays = 30
    public init(sensor: String) { self.sensor = sensor }
  }

  /// How the writing goes, for metrics and people.
  public struct State: Sendable, Equatable {
    public var records: UInt64 = 0
    public var octets: UInt64 = 0
    public var segmentsSealed: UInt64 = 0
    /// Records that could not be written.
    public var lost: UInt64 = 0
    /// One line while nothing can be written.
    public var trouble: String?
  }

  public let folder: String
  public private(set) var state = State()
  /// What was done to segments that an earlier run left open, one line each.
  public private(set) var repairs: [String] = []
  private let options: Options
  private let storage: any SpoolStorage
  private let key: SpoolKey
  private var lanes: [Lane] = []
  private var lock: Int32 = -1
  private var clock = Timestamp.distantPast
  private var retryAt = Timestamp.distantPast
  private var troubleCode: Int32 = 0
  private var backOffSeconds = 1.0
  private var loss: SpoolLoss?
  private var prunedDay = Int.min

  static let blockOctets = 256 << 10
  public static let blockSeconds = 5.0
  static let backOffSecondsMost = 60.0

  /// One chain with its open segment.
  private struct Lane {
    let chain: SpoolFormat.Chain
    var encoder = SpoolEncoder()
    var blockSince = Timestamp.distantFuture
    var sequence: UInt64 = 0
    var head = [UInt8](repeating: 0, count: SpoolFormat.hashOctets)
    var descriptor: Int32 = -1
    var octets = 0
    var records: UInt64 = 0
    var start = Timestamp.distantPast
    var isOpen: Bool { descriptor >= 0 }
  }

  /// Opens the spool in `folder`, made if missing; segments that a crash left open are sealed as far as they are whole.
  /// - Throws: `inUse` when another writer has it, `badKey`, `unwritable`.
  public convenience init(folder: String, options: Options) throws(SpoolError) {
    try self.init(folder: folder, options: options, storage: SpoolDisk())
  }

  init(folder: String, options: Options, storage: any SpoolStorage) throws(SpoolError) {
    self.folder = folder
    self.options = options
    self.storage = storage
    if mkdir(folder, 0o750) != 0, errno != EEXIST { throw .system(folder, "cannot make the spool folder") }
    lock = open("\(folder)/lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else { throw .system(folder, "cannot lock the spool") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      lock = -1
      throw SpoolError(.inUse, "\(folder): another sensor writes this spool; give each its own folder")
    }
    key = try SpoolKey(folder: folder)
    for chain in SpoolFormat.Chain.allCases { lanes.append(Lane(chain: chain)) }
    for i in lanes.indices { try resume(i) }
  }

  deinit {
    for lane in lanes where lane.isOpen { storage.close(lane.descriptor) }
    if lock >= 0 { close(lock) }
  }

  // MARK: SpoolSink

  public func append(_ record: SpoolRecord) {
    let i = record.expires ? 1 : 0
    if state.trouble != nil, lanes[i].encoder.octets.bytes.count >= Self.blockOctets {
      lose(record)
      return
    }
    if lanes[i].encoder.isEmpty { lanes[i].blockSince = clock }
    lanes[i].encoder.append(record)
    if state.trouble == nil, lanes[i].encoder.octets.bytes.count >= Self.blockOctets { commit(i, at: clock) }
  }

  public func flush(now: Timestamp) {
    note(now)
    if state.trouble != nil {
      guard now >= retryAt else { return }
      tryAgain(now)
      guard state.trouble == nil else { return }
    }
    for i in lanes.indices {
      if lanes[i].blockSince == .distantPast { lanes[i].blockSince = now }
      if !lanes[i].encoder.isEmpty, now.seconds(since: lanes[i].blockSince) >= options.blockSecondsMost {
        commit(i, at: now)
      }
      let isOld = now.seconds(since: lanes[i].start) >= options.segmentSecondsMost
      if state.trouble == nil, lanes[i].isOpen, isOld || lanes[i].octets >= options.segmentOctetsMost {
        seal(i, at: now)
      }
    }
    if now.day != prunedDay {
      prunedDay = now.day
      SpoolRetention.prune(folder, sampleDays: options.sampleDays, now: now)
    }
  }

  /// Writes what is left and seals the segments.
  public func finish(now: Timestamp) {
    note(now)
    for i in lanes.indices {
      if state.trouble == nil, !lanes[i].encoder.isEmpty { commit(i, at: now) }
      if state.trouble == nil, lanes[i].isOpen { seal(i, at: now) }
    }
  }

  // MARK: clock

  private func note(_ now: Timestamp) {
    if clock != .distantPast, clock.seconds(since: now) > 2 {
      let step = UInt64(max(0, min(9e18, clock.seconds(since: now) * 1e9)))
      for i in lanes.indices where lanes[i].blockSince > now { lanes[i].blockSince = now }
      for i in lanes.indices where lanes[i].start > now { lanes[i].start = now }
      clock = now
      retryAt = min(retryAt, now)
      append(.notice(Notice(time: now, event: .clockStep(nanoseconds: step))))
    }
    clock = now
  }
}

// MARK: segments

extension SpoolWriter {
  private func openSegment(_ i: Int, at now: Timestamp) throws(SpoolError) {
    let header = SpoolFormat.Header(
      chain: lanes[i].chain, sequence: lanes[i].sequence + 1, start: now, previous: lanes[i].head,
      publicKey: key.publicKey, sensor: options.sensor
    ).encoded()
    let path = "\(folder)/\(SpoolFormat.fileName(lanes[i].chain, lanes[i].sequence + 1, "open"))"
    let descriptor = try storage.create(path)
    do throws(SpoolError) {
      try storage.write(header, to: descriptor)
    } catch {
      storage.close(descriptor)
      unlink(path)
      throw error
    }
    lanes[i].sequence += 1
    lanes[i].descriptor = descriptor
    lanes[i].octets = header.count
    lanes[i].records = 0
    lanes[i].start = now
    lanes[i].head = SpoolFormat.hash(header)
  }

  private func commit(_ i: Int, at now: Timestamp) {
    do throws(SpoolError) {
      if !lanes[i].isOpen { try openSegment(i, at: now) }
      let payload = lanes[i].encoder.octets.bytes
      let head = SpoolFormat.blockHead(payload.count, lanes[i].encoder.records)
      let chained = SpoolFormat.hash(lanes[i].head, head, payload)
      try storage.write(head + payload + chained, to: lanes[i].descriptor)
      try storage.synchronise(lanes[i].descriptor)
      lanes[i].head = chained
      lanes[i].octets += head.count + payload.count + chained.count
      lanes[i].records += UInt64(lanes[i].encoder.records)
      state.records += UInt64(lanes[i].encoder.records)
      state.octets += UInt64(payload.count)
      lanes[i].encoder.clear()
      lanes[i].blockSince = .distantFuture
    } catch {
      fail(error, i, now)
    }
  }

  private func seal(_ i: Int, at now: Timestamp) {
    do throws(SpoolError) {
      var out = SpoolOctets()
      out.append([SpoolFormat.sealMark])
      out.fixed(lanes[i].records)
      out.fixed(UInt64(bitPattern: now.nanoseconds))
      out.append(key.signature(over: SpoolFormat.sealed(lanes[i].head, records: lanes[i].records, end: now)))
      try storage.write(out.bytes, to: lanes[i].descriptor)
      try storage.synchronise(lanes[i].descriptor)
      storage.close(lanes[i].descriptor)
      lanes[i].descriptor = -1
      let name = { SpoolFormat.fileName(self.lanes[i].chain, self.lanes[i].sequence, $0) }
      try storage.rename("\(folder)/\(name("open"))", to: "\(folder)/\(name("sealed"))")
      state.segmentsSealed += 1
    } catch {
      fail(error, i, now)
    }
  }

  /// Nothing that was durable is touched: the open segment is cut back to its last whole block and left.
  private func fail(_ error: SpoolError, _ i: Int, _ now: Timestamp) {
    if lanes[i].isOpen {
      do throws(SpoolError) { try storage.truncate(lanes[i].descriptor, to: lanes[i].octets) } catch {
        // Nothing may follow a torn block: the segment is left to the next start, and another one begun.
        storage.close(lanes[i].descriptor)
        lanes[i].descriptor = -1
      }
    }
    state.trouble = error.message
    troubleCode = error.systemCode
    retryAt = now.advanced(bySeconds: backOffSeconds)
    backOffSeconds = min(Self.backOffSecondsMost, backOffSeconds * 2)
  }

  private func tryAgain(_ now: Timestamp) {
    state.trouble = nil
    if var loss {
      loss.to = now
      lanes[0].encoder.append(.notice(Notice(time: now, event: .lost(loss))))
      self.loss = nil
    }
    for i in lanes.indices where state.trouble == nil && !lanes[i].encoder.isEmpty { commit(i, at: now) }
    guard state.trouble == nil else { return }
    backOffSeconds = 1
  }

  private func lose(_ record: SpoolRecord) {
    state.lost += 1
    if loss == nil { loss = SpoolLoss(from: clock, to: clock, code: troubleCode) }
    loss?.count(record)
  }

  // MARK: start

  /// Goes on after what is there; a segment left open is sealed up to its last whole block, the rest put aside.
  private func resume(_ i: Int) throws(SpoolError) {
    let chain = lanes[i].chain
    var settled: [String] = []
    for name in SpoolDisk.names(in: folder) {
      guard let (sequence, suffix) = SpoolFolder.parse(name, chain) else { continue }
      var path: String? = "\(folder)/\(name)"
      if suffix == "open" { path = try settle("\(folder)/\(name)", i, sequence) }
      guard let path, sequence > lanes[i].sequence else { continue }
      lanes[i].sequence = sequence
      settled.append(path)
    }
    for path in settled.reversed() {
      guard let head = SpoolSegment.chainHead(of: path) else { continue }
      lanes[i].head = head
      break
    }
  }

  /// Ends a segment that was left open. A full disk does not keep the sensor from starting: the segment then waits for the
  /// next start, and the chain goes on behind it.
  /// - Returns: where it is now; `nil` when no record can have been in it, so that its number is free.
  private func settle(_ path: String, _ i: Int, _ sequence: UInt64) throws(SpoolError) -> String? {
    do throws(SpoolError) { return try recover(path, i, sequence) } catch {
      guard error.code == .full else { throw error }
      repairs.append("\(path): was left open and cannot be sealed now (\(error.message)); it is left to the next start")
      return path
    }
  }

  private func recover(_ path: String, _ i: Int, _ sequence: UInt64) throws(SpoolError) -> String? {
    var status = stat()
    if stat(path, &status) == 0, status.st_size < SpoolFormat.headerOctets {
      if status.st_size > 0 { try quarantine(path, from: 0) }
      unlink(path)
      repairs.append("\(path): ended in its header; removed, what there was of it is in quarantine")
      return nil
    }
    let scan = try SpoolSegment.scan(path)
    guard let header = scan.header, scan.goodOctets >= SpoolFormat.headerOctets else {
      try quarantine(path, from: 0)
      unlink(path)
      repairs.append("\(path): had no whole header; put into quarantine")
      // Its number stays taken, so that its absence is seen.
      return path
    }
    let size = scan.octets
    if scan.goodOctets < size {
      try quarantine(path, from: scan.goodOctets)
      repairs.append(
        "\(path): kept \(scan.records) records up to byte \(scan.goodOctets); \(size - scan.goodOctets) octets put into quarantine"
      )
    } else {
      repairs.append("\(path): was left open with \(scan.records) whole records; sealed")
    }
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw .system(path, "cannot open the segment") }
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(scan.goodOctets)) == 0 else { throw .system(path, "cannot cut the segment") }
    if !scan.isSealed, header.publicKey == key.publicKey {
      let end = scan.lastTime ?? header.start
      var out = SpoolOctets()
      out.append([SpoolFormat.sealMark])
      out.fixed(scan.records)
      out.fixed(UInt64(bitPattern: end.nanoseconds))
      out.append(key.signature(over: SpoolFormat.sealed(scan.head, records: scan.records, end: end)))
      try storage.write(out.bytes, to: descriptor)
      try storage.synchronise(descriptor)
    }
    let sealed = "\(folder)/\(SpoolFormat.fileName(lanes[i].chain, sequence, "sealed"))"
    try storage.rename(path, to: sealed)
    return sealed
  }

  private func quarantine(_ path: String, from octet: Int) throws(SpoolError) {
    let aside = "\(folder)/quarantine"
    if mkdir(aside, 0o750) != 0, errno != EEXIST { throw .system(aside, "cannot make the folder") }
    let name = path.split(separator: "/").last.map(String.init) ?? "segment"
    let bytes = try SpoolDisk.contents(of: path, most: .max - 1)
    var number = 0
    while true {
      let target = "\(aside)/\(name).\(octet).\(number)"
      let descriptor = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
      if descriptor < 0, errno == EEXIST, number < 1000 {
        number += 1
        continue
      }
      guard descriptor >= 0 else { throw .system(target, "cannot put aside") }
      defer { close(descriptor) }
      do throws(SpoolError) {
        try storage.write(Array(bytes.dropFirst(octet)), to: descriptor)
        try storage.synchronise(descriptor)
      } catch {
        // Half a copy would look like all there was.
        unlink(target)
        throw error
      }
      return
    }
  }
}

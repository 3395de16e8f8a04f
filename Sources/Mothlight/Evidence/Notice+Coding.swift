/// Notices to octets and back: time, code of the event, its values.
extension Notice {
  func encode(into body: inout SpoolOctets) {
    body.number(UInt64(bitPattern: time.nanoseconds))
    switch event {
    case .started(let configuration, let version):
      body.append([0])
      body.number(UInt64(min(64, configuration.count)))
      body.append(configuration.prefix(64))
      body.text(version, most: SpoolEncoder.textOctets)
    case .stopped: body.append([1])
    case .samplingFactor(let factor):
      body.append([2])
      body.number(UInt64(factor))
    case .kernelDrops(let drops):
      body.append([3])
      body.number(drops)
    case .lost(let loss):
      body.append([4])
      for time in [loss.from, loss.to] { body.number(UInt64(bitPattern: time.nanoseconds)) }
      for count in [loss.sightings, loss.samples, loss.dnsCounts, loss.notices] { body.number(count) }
      body.fixed(UInt32(bitPattern: loss.code))
    case .clockStep(let nanoseconds):
      body.append([5])
      body.number(nanoseconds)
    case .recovered(let text):
      body.append([6])
      body.text(text, most: SpoolEncoder.textOctets)
    case .remark(let text):
      body.append([7])
      body.text(text, most: SpoolEncoder.textOctets)
    }
  }

  /// `nil` for octets that are no notice.
  init?(_ c: inout SpoolCursor) {
    guard let time = c.number(), let code = c.take(1)?.first, let event = Self.event(code, &c) else { return nil }
    self.init(time: Timestamp(nanoseconds: Int64(bitPattern: time)), event: event)
  }

  private static func event(_ code: UInt8, _ c: inout SpoolCursor) -> Event? {
    switch code {
    case 0:
      guard let length = c.number(), length <= 64, let hash = c.take(Int(length)),
        let version = c.text(most: SpoolEncoder.textOctets)
      else { return nil }
      return .started(configuration: hash, version: version)
    case 1: return .stopped
    case 2: return c.number().map { .samplingFactor(UInt32(clamping: $0)) }
    case 3: return c.number().map { .kernelDrops($0) }
    case 4: return loss(&c).map { .lost($0) }
    case 5: return c.number().map { .clockStep(nanoseconds: $0) }
    case 6: return c.text(most: SpoolEncoder.textOctets).map { .recovered($0) }
    case 7: return c.text(most: SpoolEncoder.textOctets).map { .remark($0) }
    default: return nil
    }
  }

  private static func loss(_ c: inout SpoolCursor) -> SpoolLoss? {
    guard let from = c.number(), let to = c.number(), let sightings = c.number(), let samples = c.number(),
      let dnsCounts = c.number(), let notices = c.number(), let code = c.fixed(UInt32.self)
    else { return nil }
    var loss = SpoolLoss(
      from: Timestamp(nanoseconds: Int64(bitPattern: from)), to: Timestamp(nanoseconds: Int64(bitPattern: to)),
      code: Int32(bitPattern: code))
    loss.sightings = sightings
    loss.samples = samples
    loss.dnsCounts = dnsCounts
    loss.notices = notices
    return loss
  }
}

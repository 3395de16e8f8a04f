import COpenSSL
import Glibc
import Mothlight

/// Answers TLS hellos for the ports that are told to, as far as the budgets go: certificates of our own, one for each name.
///
/// A handshake with its request costs about a millisecond of CPU, and 45 KiB while it lasts. What is over a budget gets what every hello gets by
/// default: it is read, counted, and the connection is closed.
final class TLSTermination {
  /// Sessions at a time, and how fast new ones may come.
  struct Limits: Sendable {
    var sessions = 1024
    var perSecond = 200
    /// Of one source in a minute: a bot calls a few times an hour, and behind a carrier's NAT there are some of them.
    var perSourceInMinute = 30
    /// Certificates that are kept; beyond them the oldest half is made again when asked for.
    static let certificates = 512
    /// Sources of which the minute's number is kept.
    static let sources = 65_536
    /// Octets of one connection that are deciphered; a request has its verdict after 8 KiB and a hello has some 2.
    static let octets = 65_536

    init() {}
  }

  private final class Certificate {
    let pointer: OpaquePointer
    let number: Int
    init(_ pointer: OpaquePointer, _ number: Int) { (self.pointer, self.number) = (pointer, number) }
    deinit { copenssl_certificate_free(pointer) }
  }

  private let server: OpaquePointer
  private let limits: Limits
  private var certificates: [String: Certificate] = [:]
  private var made = 0
  private var second: Int64 = 0
  private var inSecond = 0
  private var minute: Int64 = 0
  private var inMinute: [IPAddress: Int] = [:]

  /// - Throws: one line when the library cannot be used.
  init(_ limits: Limits) throws(ListenError) {
    guard let server = copenssl_server_make() else {
      throw ListenError("tls: OpenSSL made no key or settings; leave 'tls: terminate' out or look at libssl3")
    }
    self.server = server
    self.limits = limits
  }

  deinit {
    certificates = [:]
    copenssl_server_free(server)
  }

  /// Whether one more handshake may begin; counts it if so.
  /// - Parameters:
  ///   - holder: whose share it is.
  ///   - open: sessions there are.
  ///   - now: milliseconds of the monotonic clock.
  func admits(_ holder: IPAddress, open: Int, now: Int64) -> Bool {
    if now / 1000 != second { (second, inSecond) = (now / 1000, 0) }
    if now / 60_000 != minute {
      minute = now / 60_000
      inMinute.removeAll(keepingCapacity: true)
    }
    let own = inMinute[holder]
    guard open < limits.sessions, inSecond < limits.perSecond, own ?? 0 < limits.perSourceInMinute,
      own != nil || inMinute.count < Limits.sources
    else { return false }
    inSecond += 1
    inMinute[holder] = (own ?? 0) + 1
    return true
  }

  /// A session whose client asked for `name`, or for nobody at `address`; `nil` without memory.
  func session(for name: String?, at address: IPAddress, hello: DialogueReader.Verdict) -> TLSSession? {
    let isNamed = name.map(Self.isHostName) ?? false
    let subject = isNamed ? (name ?? "").lowercased() : address.description
    guard let certificate = certificate(for: subject, isAddress: !isNamed),
      let session = copenssl_session_make(server, certificate.pointer)
    else { return nil }
    return TLSSession(session, hello)
  }

  /// What may stand in a certificate; anything else gets one for the address.
  private static func isHostName(_ name: String) -> Bool {
    (1...253).contains(name.utf8.count)
      && name.utf8.allSatisfy { octet in
        octet &- 0x30 < 10 || octet | 0x20 &- 0x61 < 26 || octet == 0x2d || octet == 0x2e || octet == 0x5f
      }
  }

  private func certificate(for subject: String, isAddress: Bool) -> Certificate? {
    if let known = certificates[subject] { return known }
    if certificates.count >= Limits.certificates {
      let half = made - Limits.certificates / 2
      certificates = certificates.filter { $0.value.number > half }
    }
    // Begun some day in the last three months, good for 397 days as browsers want it: like anybody's.
    let from = Int64(time(nil)) - Int64.random(in: 1...90 * 86_400)
    guard
      let pointer = copenssl_certificate_make(server, subject, isAddress ? 1 : 0, from, from + 397 * 86_400)
    else { return nil }
    made += 1
    let certificate = Certificate(pointer, made)
    certificates[subject] = certificate
    return certificate
  }
}

/// One TLS conversation over memory. Its only way to say something inside is `reply`.
final class TLSSession {
  enum Progress {
    case needsMore
    /// Plain octets are there.
    case plain(Int)
    /// Failed, or the other side is done.
    case over
  }

  private let session: OpaquePointer
  /// What the hello showed, for a connection that shows no more.
  let hello: DialogueReader.Verdict
  private var isShaken = false
  private var taken = 0

  fileprivate init(_ session: OpaquePointer, _ hello: DialogueReader.Verdict) {
    self.session = session
    self.hello = hello
  }

  deinit { copenssl_session_free(session) }

  /// Octets from the wire; `false` when they are too many.
  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    taken &+= bytes.count
    guard taken <= TLSTermination.Limits.octets else { return false }
    return bytes.isEmpty || copenssl_session_take(session, bytes.baseAddress, bytes.count) == 0
  }

  /// Goes on with the handshake, then reads plain octets into `room`.
  func advance(into room: UnsafeMutableRawBufferPointer) -> Progress {
    if !isShaken {
      switch copenssl_session_shake(session) {
      case 1: isShaken = true
      case 0: return .needsMore
      default: return .over
      }
    }
    guard room.count > 0 else { return .needsMore }
    let count = copenssl_session_read(session, room.baseAddress, Int32(clamping: room.count))
    return count > 0 ? .plain(Int(count)) : count == 0 ? .needsMore : .over
  }

  /// Says one of the constants inside, if there is one, and that nothing follows.
  func end(with reply: [UInt8]?) -> Bool {
    var isSaid = false
    if isShaken, let reply {
      isSaid = copenssl_session_write(session, reply, Int32(clamping: reply.count)) == 0
    }
    if isShaken { copenssl_session_end(session) }
    return isSaid
  }

  /// Octets for the wire, in `room`; 0 when there are none.
  func give(into room: UnsafeMutableRawBufferPointer) -> Int {
    Int(copenssl_session_give(session, room.baseAddress, Int32(clamping: room.count)))
  }
}

/// Follows one TLS connection until the server's hello, and up to TLS 1.2 its certificate, was seen.
struct TLSConversation {
  private var clientRecords = TLSRecords()
  private var serverRecords = TLSRecords()
  private var began: Timestamp
  private var clientHello: Offer?
  private var serverHello: TLSServerHello?
  private var sawHelloRetry = false
  private var passedCipherChange = false
  private var certificate: TLSHandshake.Certificate?
  private var serverRefused = false
  private(set) var isDone = false
  private(set) var anomalies: Anomalies = []
  private let prints: FingerprintCache

  /// What stays of a ClientHello when its octets are gone.
  private struct Offer {
    var version: UInt16
    var serverName: String?
    var alpn: [String]
    var ja3: String
    var ja4: String
  }

  /// - Parameter isSSLv2Compatible: the client opened with the old hello (RFC 5246 appendix E.2), whose ciphers are
  ///   not read; only the server's side will be told.
  init(at time: Timestamp, prints: FingerprintCache, isSSLv2Compatible: Bool = false) {
    began = time
    self.prints = prints
    if isSSLv2Compatible {
      anomalies.insert(.oddService)
      clientRecords.giveUp()
    }
  }

  /// Takes bytes of one role, which need not be one side: a turned connection exchanges them.
  mutating func feed(_ bytes: RawSpan, fromClient: Bool) {
    guard !isDone else { return }
    if fromClient {
      if clientRecords.isUntouched, let (type, body) = TLSRecords.firstMessage(in: bytes), type == 1 {
        readOffer(bytes.extracting(body))
        clientRecords.release()
      } else {
        clientRecords.append(bytes)
        readClient()
      }
    } else if !serverRecords.isUntouched || !readAnswer(bytes) {
      serverRecords.append(bytes)
      readServer()
    }
  }

  mutating func skip(fromClient: Bool) {
    guard !isDone else { return }
    if fromClient { clientRecords.giveUp() } else { serverRecords.giveUp() }
    if !fromClient { isDone = true }
  }

  private mutating func readClient() {
    if clientHello == nil, let (type, range) = clientRecords.nextMessage() {
      if type == 1 {
        readOffer(clientRecords.bytes(range).span.bytes)
      } else {
        anomalies.insert(.malformedTLS)
      }
      clientRecords.release()
    }
    if clientHello == nil, clientRecords.end == .malformed { anomalies.insert(.malformedTLS) }
  }

  private mutating func readOffer(_ body: RawSpan) {
    do {
      let hello = try TLSClientHello(body)
      clientHello = Offer(
        version: hello.version, serverName: hello.serverName, alpn: hello.alpn, ja3: hello.ja3(prints),
        ja4: hello.ja4(isQUIC: false, prints))
      anomalies.formUnion(hello.anomalies)
    } catch {
      anomalies.insert(.malformedTLS)
    }
  }

  /// A TLS 1.3 answer whole in one segment, the usual case, needs no copy; `false` leaves it to the records.
  private mutating func readAnswer(_ bytes: RawSpan) -> Bool {
    guard let (type, body) = TLSRecords.firstMessage(in: bytes), type == 2,
      let hello = try? TLSServerHello(bytes.extracting(body)), hello.version >= 0x0304, !hello.isHelloRetryRequest
    else { return false }
    anomalies.formUnion(hello.anomalies)
    serverHello = hello
    isDone = true
    return true
  }

  private mutating func readServer() {
    while !isDone, let (type, range) = serverRecords.nextMessage() { read(type, serverRecords.bytes(range)) }
    switch serverRecords.end {
    case nil: break
    case .alert:
      serverRefused = serverHello == nil
      isDone = true
    case .malformed:
      anomalies.insert(.malformedTLS)
      isDone = true
    case .changeCipherSpec where sawHelloRetry && serverHello == nil && !passedCipherChange:
      passedCipherChange = true
      serverRecords.passChangeCipherSpec()
      readServer()
    default: isDone = true
    }
  }

  private mutating func read(_ type: UInt8, _ body: ArraySlice<UInt8>) {
    switch type {
    case 2:
      do {
        let hello = try TLSServerHello(body.span.bytes)
        anomalies.formUnion(hello.anomalies)
        if hello.isHelloRetryRequest {
          sawHelloRetry = true
          return
        }
        serverHello = hello
        if hello.version >= 0x0304 { isDone = true }
      } catch {
        anomalies.insert(.malformedTLS)
        isDone = true
      }
    case 11:
      certificate = TLSHandshake.Certificate(chain: body.span.bytes)
      if certificate == nil { anomalies.insert(.malformedTLS) }
      isDone = true
    case 14: isDone = true
    default: break
    }
  }

  /// The handshake as far as it was seen; `nil` when neither hello was readable.
  func handshake(_ ends: Endpoints) -> (event: TLSHandshake, began: Timestamp)? {
    guard clientHello != nil || serverHello != nil else { return nil }
    let version = serverHello?.version ?? (sawHelloRetry ? 0x0304 : clientHello?.version ?? 0)
    var event = TLSHandshake(ends: ends, version: version, anomalies: anomalies)
    if let hello = clientHello {
      event.serverName = hello.serverName
      event.alpn = hello.alpn
      event.ja3 = hello.ja3
      event.ja4 = hello.ja4
    }
    event.ja3s = serverHello?.ja3s(prints)
    event.certificate = certificate
    if serverRefused { event.established = false }
    return (event, began)
  }
}

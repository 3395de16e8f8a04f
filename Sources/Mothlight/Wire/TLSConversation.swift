/// Follows one TLS connection until the server's hello, and up to TLS 1.2 its certificate, was seen.
struct TLSConversation {
  private var clientRecords = TLSRecords()
  private var serverRecords = TLSRecords()
  private var began: Timestamp
  private var clientHello: TLSClientHello?
  private var serverHello: TLSServerHello?
  private var sawHelloRetry = false
  private var passedCipherChange = false
  private var certificate: TLSHandshake.Certificate?
  private var serverRefused = false
  private(set) var isDone = false
  private(set) var anomalies: Anomalies = []

  /// - Parameter isSSLv2Compatible: the client opened with the old hello (RFC 5246 appendix E.2), whose ciphers are
  ///   not read; only the server's side will be told.
  init(at time: Timestamp, isSSLv2Compatible: Bool = false) {
    began = time
    if isSSLv2Compatible {
      anomalies.insert(.oddService)
      clientRecords.giveUp()
    }
  }

  /// Takes bytes of one role, which need not be one side: a turned connection exchanges them.
  mutating func feed(_ bytes: RawSpan, fromClient: Bool) {
    guard !isDone else { return }
    if fromClient {
      clientRecords.append(bytes)
      readClient()
    } else {
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
        do {
          clientHello = try TLSClientHello(clientRecords.bytes(range).span.bytes)
          anomalies.formUnion(clientHello?.anomalies ?? [])
        } catch {
          anomalies.insert(.malformedTLS)
        }
      } else {
        anomalies.insert(.malformedTLS)
      }
      clientRecords.release()
    }
    if clientHello == nil, clientRecords.end == .malformed { anomalies.insert(.malformedTLS) }
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
      event.ja4 = hello.ja4(isQUIC: false)
    }
    event.ja3s = serverHello?.ja3s
    event.certificate = certificate
    if serverRefused { event.established = false }
    return (event, began)
  }
}

/// Follows one HTTP/1 connection and pairs requests with answers in order (RFC 9112 section 9.3.2).
struct HTTPConversation {
  private struct Waiting {
    var exchange: HTTPExchange
    var began: Timestamp
  }

  private var requests = HTTPLane(isRequest: true)
  private var responses = HTTPLane(isRequest: false)
  private var waiting: [Waiting] = []
  private var headBegan: Timestamp?
  private(set) var anomalies: Anomalies = []
  /// The stream was not HTTP after all.
  private(set) var isForeign = false
  /// A tunnel was opened (CONNECT, or an upgrade): what follows is another protocol.
  private(set) var openedTunnel = false

  /// Pipelined requests kept without an answer.
  private static let waitingLimit = 64

  private let base: Anomalies

  /// - Parameter base: what every exchange of this connection carries.
  init(base: Anomalies) { self.base = base }

  var isDone: Bool { isForeign || openedTunnel || (requests.isClosed && responses.isClosed) }

  /// Takes bytes of one role; the octets used, which is fewer than given only when a tunnel begins in between.
  mutating func feed(
    _ bytes: RawSpan, fromClient: Bool, ends: Endpoints, at time: Timestamp, into out: inout [Observation]
  ) -> Int {
    var offset = 0
    while offset < bytes.byteCount, !isDone {
      if fromClient {
        if requests.pendingHead.isEmpty { headBegan = time }
        switch requests.next(bytes, from: &offset) {
        case .needsMore: break
        case .inPlace(let range):
          readRequest(bytes.extracting(range), ends: ends, at: headBegan ?? time, into: &out)
        case .head(let head): readRequest(head.span.bytes, ends: ends, at: headBegan ?? time, into: &out)
        case .tooLong(let head):
          readRequest(head.span.bytes, ends: ends, at: headBegan ?? time, isCut: true, into: &out)
        }
      } else {
        switch responses.next(bytes, from: &offset) {
        case .needsMore: break
        case .inPlace(let range): readResponse(bytes.extracting(range), into: &out)
        case .head(let head): readResponse(head.span.bytes, into: &out)
        case .tooLong: anomalies.insert(.malformedHTTP)
        }
      }
    }
    return offset
  }

  private mutating func readRequest(
    _ head: RawSpan, ends: Endpoints, at time: Timestamp, isCut: Bool = false, into out: inout [Observation]
  ) {
    if head.has("PRI * HTTP/2") {
      // The HTTP/2 preface (RFC 9113 section 3.4): binary from here on.
      requests.close()
      responses.close()
      return
    }
    do {
      var request = try HTTPRequest(head, ends: ends)
      if isCut { request.exchange.anomalies.insert(.malformedHTTP) } else { requests.expect(request.body) }
      anomalies.formUnion(request.exchange.anomalies)
      request.exchange.anomalies.formUnion(base)
      if let rule = PayloadRules.match(request.exchange) {
        let match = PayloadMatch(
          ends: ends, rule: rule.id, payloadOctets: UInt32(clamping: head.byteCount), fromClient: true)
        out.append(Observation(time: time, event: .payload(match)))
      }
      if waiting.count >= Self.waitingLimit {
        let oldest = waiting.removeFirst()
        out.append(Observation(time: oldest.began, event: .http(oldest.exchange)))
      }
      waiting.append(Waiting(exchange: request.exchange, began: time))
    } catch .unsupported {
      isForeign = true
    } catch {
      anomalies.insert(.malformedHTTP)
      requests.loseTrack()
    }
  }

  private mutating func readResponse(_ head: RawSpan, into out: inout [Observation]) {
    guard let response = try? HTTPResponse(head) else {
      anomalies.insert(.malformedHTTP)
      responses.loseTrack()
      return
    }
    if response.fields.isMalformed { anomalies.insert(.malformedHTTP) }
    // Interim answers do not end an exchange (RFC 9110 section 15.2); 101 does.
    if response.status < 200, response.status != 101 {
      responses.expect(.none)
      return
    }
    guard !waiting.isEmpty else {
      responses.expect(response.body(answering: nil))
      return
    }
    var entry = waiting.removeFirst()
    entry.exchange.status = response.status
    entry.exchange.responseBodyOctets = entry.exchange.method == "HEAD" ? 0 : response.fields.contentLength ?? 0
    entry.exchange.contentType = response.fields.contentType
    if response.fields.isMalformed { entry.exchange.anomalies.insert(.malformedHTTP) }
    out.append(Observation(time: entry.began, event: .http(entry.exchange)))
    if response.status == 101 || (entry.exchange.method == "CONNECT" && response.status / 100 == 2) {
      openedTunnel = true
      return
    }
    responses.expect(response.body(answering: entry.exchange.method))
  }

  mutating func skip(fromClient: Bool) {
    if fromClient { requests.loseTrack() } else { responses.loseTrack() }
  }

  mutating func finish(ends: Endpoints, at time: Timestamp, into out: inout [Observation]) {
    let rest = requests.pendingHead
    // A request whose head never ended still says what was asked for.
    if !isForeign, rest.contains(0x0a) {
      readRequest(rest.span.bytes, ends: ends, at: headBegan ?? time, isCut: true, into: &out)
    }
    for entry in waiting { out.append(Observation(time: entry.began, event: .http(entry.exchange))) }
    waiting = []
  }
}

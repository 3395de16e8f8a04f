extension ConversationSummary {
  /// The conversation as a packet reader would deliver it: the flow, and what its application layer showed.
  func observations(_ conversation: Conversation, epoch: Int64) -> [Observation] {
    func time(_ microseconds: Int64) -> Timestamp { Timestamp(nanoseconds: (epoch + microseconds) * 1000) }
    let flow = flow(conversation, epoch: epoch)
    let ends = Endpoints(
      client: conversation.client, server: conversation.server, clientPort: conversation.clientPort,
      serverPort: conversation.serverPort, transport: conversation.transport)
    var out = [Observation(time: flow.first, event: .flow(flow))]
    switch conversation.application {
    case .none: break
    case .dns(let dns):
      let isAnswered = server.packets > 0
      let lookup = DNSLookup(
        ends: ends, name: dns.name, type: UInt16(dns.type.rawValue),
        responseCode: isAnswered ? UInt16(dns.responseCode) : nil, addresses: isAnswered ? dns.addresses : [],
        targets: isAnswered ? dns.answerWords : [], ttlSeconds: UInt32(clamping: dns.ttlSeconds),
        responseOctets: UInt32(clamping: server.payload))
      out.append(Observation(time: flow.first, event: .dns(lookup)))
    case .tls(let tls):
      guard let hello = stepTimes.first, hello < .max else { break }
      let isEstablished = stepTimes.count > 1 && stepTimes[1] < .max
      out.append(
        Observation(
          time: time(hello),
          event: .tls(
            TLSHandshake(
              ends: ends, version: tls.isVersion13 ? 0x0304 : 0x0303, serverName: tls.serverName,
              established: isEstablished))))
    case .irc(let chat):
      guard let time = stepTimes.first, time < .max else { break }
      out.append(Observation(time: Timestamp(nanoseconds: (epoch + time) * 1000), event: .irc(chat.session(ends))))
    case .http(let requests):
      for request in requests where stepTimes[request.step] < .max {
        out.append(
          Observation(
            time: time(stepTimes[request.step]),
            event: .http(
              HTTPExchange(
                ends: ends, method: request.method, host: request.host, target: request.target,
                userAgent: request.userAgent, referer: request.referer, status: UInt16(clamping: request.status),
                requestBodyOctets: UInt64(request.requestOctets), responseBodyOctets: UInt64(request.responseOctets),
                contentType: request.contentType))))
      }
    }
    return out
  }
}

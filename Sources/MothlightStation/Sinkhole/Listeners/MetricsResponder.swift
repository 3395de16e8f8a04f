import CLinux
import Glibc
import Mothlight

/// Answers `/metrics` and `/healthz` on a loopback address: for the operator's own machine, never for a peer of a listener.
final class MetricsResponder {
  /// Scrapers at a time.
  private static let connectionsMost = 16
  private static let requestOctetsMost = 2048
  private static let timeoutMilliseconds: Int64 = 2000

  private struct Scraper {
    var descriptor: Int32 = -1
    var deadline: Int64 = 0
    var request: [UInt8] = []
  }

  private let socket: Socket
  private let epoll: Int32
  private let tokenBase: UInt64
  private let spare: SpareDescriptor
  private var scrapers = [Scraper](repeating: Scraper(), count: MetricsResponder.connectionsMost)

  init(_ address: ListenAddress, epoll: Int32, tokenBase: UInt64, spare: SpareDescriptor = SpareDescriptor())
    throws(ListenError)
  {
    guard address.address.isLoopback else { throw ListenError("metrics: \(address) is not loopback") }
    socket = try Socket(address, SocketOptions(isStream: true, backlog: 16))
    self.epoll = epoll
    self.tokenBase = tokenBase
    self.spare = spare
  }

  deinit { for scraper in scrapers where scraper.descriptor >= 0 { close(scraper.descriptor) } }

  var address: ListenAddress { socket.address }

  func watch() -> Bool { clinux_epoll_add(epoll, socket.descriptor, tokenBase) == 0 }

  /// - Parameter number: 0 for the port, else a scraper.
  func serve(_ number: Int, now: Int64, _ page: () -> String) {
    if number == 0 { accept(now) } else if number <= scrapers.count { read(number - 1, page) }
  }

  private func accept(_ now: Int64) {
    var peer = clinux_end()
    let descriptor = clinux_accept(socket.descriptor, &peer)
    guard descriptor >= 0 else {
      if errno == EMFILE || errno == ENFILE { _ = spare.refuse(on: socket.descriptor) }
      return
    }
    guard let place = scrapers.firstIndex(where: { $0.descriptor < 0 }) else {
      close(descriptor)
      return
    }
    scrapers[place] = Scraper(descriptor: descriptor, deadline: now &+ Self.timeoutMilliseconds)
    _ = clinux_epoll_add(epoll, descriptor, tokenBase &+ UInt64(place + 1))
  }

  private func read(_ place: Int, _ page: () -> String) {
    guard scrapers[place].descriptor >= 0 else { return }
    var buffer = [UInt8](repeating: 0, count: Self.requestOctetsMost)
    let count = clinux_read(scrapers[place].descriptor, &buffer, buffer.count)
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    guard count > 0, scrapers[place].request.count + count <= Self.requestOctetsMost else { return end(place) }
    scrapers[place].request += buffer[..<count]
    guard let lineEnd = scrapers[place].request.firstIndex(of: 0x0a) else { return }
    let words = scrapers[place].request[..<lineEnd].split(separator: 0x20)
    let target = words.count > 1 && words[0].elementsEqual("GET".utf8) ? String(decoding: words[1], as: UTF8.self) : ""
    answer(place, target, page)
  }

  private func answer(_ place: Int, _ target: String, _ page: () -> String) {
    let (status, type, body): (String, String, String) =
      switch target {
      case "/metrics": ("200 OK", "text/plain; version=0.0.4; charset=utf-8", page())
      case "/healthz": ("200 OK", "text/plain; charset=utf-8", "ok\n")
      default: ("404 Not Found", "text/plain; charset=utf-8", "here are /metrics and /healthz\n")
      }
    var answer = "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
    answer += "Connection: close\r\n\r\n" + body
    answer.withUTF8 { octets in
      if let base = octets.baseAddress { _ = clinux_send(scrapers[place].descriptor, base, octets.count) }
    }
    _ = clinux_discard(scrapers[place].descriptor, Self.requestOctetsMost)
    end(place)
  }

  private func end(_ place: Int) {
    close(scrapers[place].descriptor)
    scrapers[place] = Scraper()
  }

  func expire(now: Int64) {
    for place in scrapers.indices where scrapers[place].descriptor >= 0 && scrapers[place].deadline <= now {
      end(place)
    }
  }
}

/// The numbers of the listeners in the text format of Prometheus (version 0.0.4).
struct MetricsPage {
  var tally: CheckInTally.Counters
  var sources: Int
  var factor: UInt32
  var datagrams: UInt64
  var kernelDrops: UInt64
  var streams: StreamReceiver.Counters
  var open: Int
  var blocks: Int
  var blocksRefused: UInt64
  var spooled: UInt64
  var lost: UInt64

  private static let levels = ["connected", "shaped", "recognised", "repeated"]

  var text: String {
    var out = ""
    func add(_ name: String, _ kind: String, _ help: String, _ rows: [(String, UInt64)]) {
      out += "# HELP mothlight_sinkhole_\(name) \(help)\n# TYPE mothlight_sinkhole_\(name) \(kind)\n"
      for (labels, value) in rows { out += "mothlight_sinkhole_\(name)\(labels) \(value)\n" }
    }
    func counter(_ name: String, _ value: UInt64, _ help: String) {
      add(name + "_total", "counter", help, [("", value)])
    }
    func gauge(_ name: String, _ value: Int, _ help: String) {
      add(name, "gauge", help, [("", UInt64(clamping: value))])
    }
    counter("check_ins", tally.checkIns, "Check-ins that arrived, those sampled out included.")
    counter("sampled_out", tally.sampledOut, "Check-ins of sources outside the sample.")
    let levels = zip(Self.levels, tally.levels).dropLast().map { ("{level=\"\($0)\"}", $1) }
    add("check_ins_by_level_total", "counter", "Check-ins by what the message showed.", levels)
    counter("visitor_check_ins", tally.labelled, "Check-ins of sources labelled as visitors.")
    gauge("sampling_factor", Int(factor), "One source in this many is looked at.")
    gauge("sources", sources, "Sources times botnets in the tally.")
    counter("tally_refused", tally.refused, "Check-ins without a place in the tally.")
    counter("sightings", tally.sightings, "Rows written of one source, botnet and hour.")
    counter("samples", tally.samples, "Check-ins written as samples.")
    counter("samples_deferred", tally.samplesDeferred, "Samples put off, as the second's share was used up.")
    counter("identified", tally.identified, "Check-ins that carried what tells machines apart; a keyed hash was kept.")
    counter("identities_refused", tally.identitiesRefused, "Identities without a place in their table.")
    counter("clock_steps_back", tally.clockStepsBack, "Times the clock went back.")
    counter("datagrams", datagrams, "Datagrams received.")
    counter("kernel_drops", kernelDrops, "Datagrams that the kernel dropped: receive buffer full.")
    counter("connections", streams.accepted, "Connections accepted.")
    gauge("connections_open", open, "Connections open now.")
    counter("connections_timed_out", streams.timedOut, "Connections ended by the time limit.")
    counter("connections_evicted", streams.evicted, "Oldest connections ended to make room.")
    counter("connections_refused", streams.refusedBySource, "Connections beyond what one source may have.")
    counter("connections_without_file", streams.refusedByFiles, "Connections closed at once: no descriptor was left.")
    counter("stream_octets", streams.octets, "Octets read from connections.")
    counter("replies", streams.replies, "Replies sent.")
    counter("tls_handshakes", streams.tlsBegun, "TLS handshakes begun.")
    counter("tls_refused", streams.tlsRefused, "TLS hellos beyond a budget, closed without a handshake.")
    gauge("blocks", blocks, "Connections with undecided octets.")
    counter("blocks_refused", blocksRefused, "Undecided connections that found no room.")
    counter("spooled", spooled, "Records handed to the spool.")
    counter("spool_lost", lost, "Records that found the spool's queue full.")
    return out
  }
}

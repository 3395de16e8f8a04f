import HTTPTypes
import Hummingbird
import Mothlight
import NIOCore
import ServiceLifecycle

/// `/events`: that something changed, as server-sent events (WHATWG HTML section 9.2). What changed is read from the pages.
struct EventRoutes: RouteGroup {
  /// Between lines that only show that the stream is alive; also how soon a browser that went away is noticed.
  static let beatSeconds = 15
  /// Beats after which a stream ends and the browser asks again: so that who was logged out does not go on.
  static let beatsMost = 40
  /// Milliseconds that a browser waits before it asks again.
  static let retryMilliseconds = 4000
  /// Lines kept for a browser that takes none.
  private static let linesWaiting = 64

  private let desk: Desk
  private let seats: Seats

  init(desk: Desk, streamsMost: Int) {
    self.desk = desk
    seats = Seats(most: streamsMost)
  }

  func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    let (desk, seats) = (desk, seats)
    gated.get("/events") { _, _ in
      guard let seat = seats.take() else {
        throw Failure(.serviceUnavailable, "Too many pages are live already.", headers: [.retryAfter: "60"])
      }
      return Response(
        status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
        body: ResponseBody { writer in
          let lines = Self.lines(desk.board.events())
          try await writer.write(ByteBuffer(string: "retry: \(Self.retryMilliseconds)\n\n"))
          for await line in lines { try await writer.write(ByteBuffer(string: line)) }
          try await writer.finish(nil)
          withExtendedLifetime(seat) {}
        })
    }
  }

  /// Events as text, with beats between them, until the server stops or the stream has lived long enough.
  private static func lines(_ events: AsyncStream<StatusBoard.Event>) -> AsyncStream<String> {
    let (stream, lines) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(linesWaiting))
    let pump = Task {
      for await event in events { lines.yield(text(event)) }
      lines.finish()
    }
    let beat = Task {
      for _ in 0..<beatsMost {
        try await Task.sleep(for: .seconds(beatSeconds))
        lines.yield(": still here\n\n")
      }
      lines.finish()
    }
    let stop = Task {
      try await gracefulShutdown()
      lines.finish()
    }
    lines.onTermination = { _ in
      pump.cancel()
      beat.cancel()
      stop.cancel()
    }
    return stream
  }

  /// No word from outside is in it.
  static func text(_ event: StatusBoard.Event) -> String {
    switch event {
    case .judged(let day, let changed): "event: judged\ndata: \(Timestamp.describe(day: day)) \(changed)\n\n"
    case .caseChanged(let number): "event: case\ndata: \(number)\n\n"
    case .source(_, let state): "event: source\ndata: \(state.rawValue)\n\n"
    case .census: "event: census\ndata: new\n\n"
    }
  }
}

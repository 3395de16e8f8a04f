import NIOCore
import NIOHTTPTypes

/// Cuts off clients that send or take so slowly that they only hold a place, and keeps the book on whose turn it is.
///
/// The first head has a time from the connection on, a request has a time and a size from its head to its end, and a reply must
/// be taken in part within a time. Later heads are timed by Hummingbird's idle time-out, which a part of a head does not renew.
final class ClientPace: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let firstTime: TimeAmount
  private let requestTime: TimeAmount
  private let writeTime: TimeAmount
  private let octetsMost: Int
  private var octets = 0
  private let room: ConnectionRoom
  private var place: ConnectionRoom.Place?
  /// Requests that are whole and whose replies are not.
  private var working = 0
  private var firstEnd: Scheduled<Void>?
  private var requestEnd: Scheduled<Void>?
  private var writeEnd: Scheduled<Void>?
  /// Writes that the kernel has not taken.
  private var waiting = 0
  private var taken = 0

  init(_ settings: DashboardSettings, _ room: ConnectionRoom) {
    self.room = room
    firstTime = .seconds(Int64(settings.firstRequestSeconds))
    requestTime = .seconds(Int64(settings.requestSeconds))
    writeTime = .seconds(Int64(settings.writeSeconds))
    // A body that is refused is read to its end first, so that the client sees why; but not for ever.
    octetsMost = settings.bodyOctetsMost * 4
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    place = room.enter { channel.close(promise: nil) }
    firstEnd = schedule(firstTime, context) { _ in true }
  }

  func handlerRemoved(context: ChannelHandlerContext) { stop() }

  func channelInactive(context: ChannelHandlerContext) {
    stop()
    context.fireChannelInactive()
  }

  private func stop() {
    for end in [firstEnd, requestEnd, writeEnd] { end?.cancel() }
    (firstEnd, requestEnd, writeEnd) = (nil, nil, nil)
    if let place { room.left(place) }
    place = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head:
      octets = 0
      firstEnd?.cancel()
      firstEnd = nil
      requestEnd?.cancel()
      requestEnd = schedule(requestTime, context) { _ in true }
    case .body(let part):
      octets += part.readableBytes
      if octets > octetsMost { return context.close(promise: nil) }
    case .end:
      requestEnd?.cancel()
      requestEnd = nil
      working += 1
      place?.works()
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let done = promise ?? context.eventLoop.makePromise(of: Void.self)
    waiting += 1
    if case .end = unwrapOutboundIn(data) { working -= 1 }
    let me = NIOLoopBound(self, eventLoop: context.eventLoop)
    done.futureResult.whenComplete { _ in
      me.value.waiting -= 1
      me.value.taken &+= 1
      me.value.tellTurn()
    }
    if writeEnd == nil { watchWrites(context) }
    context.write(data, promise: done)
  }

  /// What was written has gone out, or at least a part of it.
  private func tellTurn() {
    if waiting > 0 || working <= 0 { place?.waits() } else { place?.works() }
  }

  private func watchWrites(_ context: ChannelHandlerContext) {
    let before = taken
    writeEnd = schedule(writeTime, context) { pace in
      pace.writeEnd = nil
      return pace.waiting > 0 && pace.taken == before
    } otherwise: { pace, context in
      if pace.waiting > 0 { pace.watchWrites(context) }
    }
  }

  /// Closes the connection after `time` if `isOver` then.
  private func schedule(
    _ time: TimeAmount, _ context: ChannelHandlerContext, _ isOver: @escaping @Sendable (ClientPace) -> Bool,
    otherwise: @escaping @Sendable (ClientPace, ChannelHandlerContext) -> Void = { _, _ in }
  ) -> Scheduled<Void> {
    let bound = NIOLoopBound((pace: self, context: context), eventLoop: context.eventLoop)
    return context.eventLoop.scheduleTask(in: time) {
      let (pace, context) = bound.value
      if isOver(pace) {
        context.close(promise: nil)
      } else {
        otherwise(pace, context)
      }
    }
  }
}

@available(*, unavailable)
extension ClientPace: Sendable {}

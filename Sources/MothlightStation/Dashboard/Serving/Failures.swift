import HTTPTypes
import Hummingbird
import Logging
import Mothlight
import NIOCore

/// Makes replies of errors: in the form of the group that owns the path, else as a page.
struct Failures: RouterMiddleware {
  let groups: [any RouteGroup]
  let page: @Sendable (Failure, Request) -> Response

  func handle(
    _ request: Request, context: StationContext, next: (Request, StationContext) async throws -> Response
  ) async throws -> Response {
    let failure: Failure
    do {
      return try await next(request, context)
    } catch let known as Failure {
      failure = known
    } catch let error as StoreError {
      failure = Self.failure(error)
    } catch let error as HTTPError {
      failure =
        error.status == .notFound ? .notFound : Failure(error.status, error.body ?? error.status.reasonPhrase)
    } catch is CancellationError {
      failure = Failure(.serviceUnavailable, "The station is stopping.")
    } catch let error as any HTTPResponseError {
      failure = Failure(error.status, error.status.reasonPhrase)
    } catch {
      // What went wrong is for the log: an error may quote what only its writer should see.
      context.logger.error("request failed: \(error)")
      failure = Failure(.internalServerError, "Something went wrong here; the log of the station has more.")
    }
    if let owner = groups.first(where: { $0.owns(request.uri.path) }) {
      return owner.reply(to: failure, request: request)
    }
    return page(failure, request)
  }

  static func failure(_ error: StoreError) -> Failure {
    switch error.code {
    case .unknown: Failure(.notFound, error.message)
    case .refused: Failure(.conflict, error.message)
    default: Failure(.serviceUnavailable, error.message)
    }
  }
}

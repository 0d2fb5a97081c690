namespace Fal.Observability.Client;

/// <summary>
/// The values of <see cref="FalApiException.ErrorType"/> that fal documents. The set is open: a newer service may send others.
/// </summary>
public static class FalErrorTypes
{
    /// <summary>401 or 403: <c>authorization_error</c>.</summary>
    public const string AuthorizationError = "authorization_error";

    /// <summary>400: <c>validation_error</c>.</summary>
    public const string ValidationError = "validation_error";

    /// <summary>404: <c>not_found</c>.</summary>
    public const string NotFound = "not_found";

    /// <summary>429: <c>rate_limited</c>.</summary>
    public const string RateLimited = "rate_limited";

    /// <summary>500: <c>server_error</c>.</summary>
    public const string ServerError = "server_error";

    /// <summary>501: <c>not_implemented</c>.</summary>
    public const string NotImplemented = "not_implemented";
}

namespace Fal.Observability.Client.Testing;

/// <summary>A call that the contract answers with an error.</summary>
internal sealed class RefusedCallException(int status, string type, string message) : Exception(message)
{
    public int Status => status;

    public string Type => type;

    /// <summary>400: a parameter is wrong.</summary>
    public static RefusedCallException Invalid(string message) => new(400, "validation_error", message);

    /// <summary>403. Which endpoint it is about is not said: the contract promises no more than the status.</summary>
    public static RefusedCallException NotOwned() =>
        new(403, "authorization_error", "Access denied: every requested endpoint must be owned by the account of the key.");

    /// <summary>404 for an endpoint.</summary>
    public static RefusedCallException NotThere() => new(404, "not_found", "Resource not found: no such endpoint.");
}

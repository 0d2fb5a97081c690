namespace Fal.Observability.Client;

/// <summary>Whose traffic an analytics call is about.</summary>
public enum AnalyticsSource
{
    /// <summary>
    /// Everything that reaches endpoints owned by the account of the key, whoever called them
    /// (<c>/serverless/analytics</c>). The account must own every endpoint of the query.
    /// </summary>
    Serverless,

    /// <summary>The calls that the account of the key made, to any model (<c>/models/analytics</c>).</summary>
    Models,
}

using Xunit;
namespace Fal.Observability.Client.Tests;
public sealed class StubTests { [Fact] public void One() => Assert.Equal(1, Stub.X); }

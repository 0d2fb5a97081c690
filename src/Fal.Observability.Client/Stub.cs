namespace Fal.Observability.Client;
internal static class Stub { internal static int X => 1; }

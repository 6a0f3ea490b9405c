namespace Plinth.Core.Quotas;

/// <summary>How far a request for more has come.</summary>
public enum QuotaRequestState
{
    /// <summary>Nobody has decided yet.</summary>
    Open,
    /// <summary>The limits were raised.</summary>
    Granted,
    Refused,
    /// <summary>Taken back before it was decided.</summary>
    Withdrawn,
}

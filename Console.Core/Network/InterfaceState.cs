namespace Plinth.Core.Network;

/// <summary>What is wished of a VM's interface, as far as its host has not shown it yet.</summary>
public enum InterfaceState
{
    /// <summary>The VM has it.</summary>
    Present,
    /// <summary>Its host is to add it.</summary>
    Adding,
    /// <summary>Its guest is to release it; it keeps its address until its host reports it gone.</summary>
    Removing,
}

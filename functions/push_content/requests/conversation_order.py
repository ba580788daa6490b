"""A stable order under "this before that". Pure, on numbers."""

import heapq
from collections.abc import Iterable, Sequence


def stable_order(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """The numbers below ``count`` with ``a`` before ``b`` for each edge (a, b), else the lowest first.

    Edges within a cycle do not count: its members keep their order among themselves.
    """
    edges = list(edges)
    cycle = cycles(count, edges)
    followers: list[set[int]] = [set() for _ in range(count)]
    latest: dict[int, int] = {}
    for node in range(count):
        if cycle[node] in latest:
            followers[latest[cycle[node]]].add(node)
        latest[cycle[node]] = node
    for before, after in edges:
        if cycle[before] != cycle[after]:
            followers[before].add(after)
    waits_for = [0] * count
    for targets in followers:
        for target in targets:
            waits_for[target] += 1
    free = [node for node in range(count) if not waits_for[node]]
    order = []
    while free:
        node = heapq.heappop(free)
        order.append(node)
        for target in followers[node]:
            waits_for[target] -= 1
            if not waits_for[target]:
                heapq.heappush(free, target)
    return order


def cycles(count: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """For each node the name of its strongly connected component (Kosaraju's algorithm).

    Without recursion: a conversation may be longer than Python's stack.
    """
    ahead: list[list[int]] = [[] for _ in range(count)]
    back: list[list[int]] = [[] for _ in range(count)]
    for before, after in edges:
        ahead[before].append(after)
        back[after].append(before)
    finished: list[int] = []
    seen = [False] * count
    for root in range(count):
        finished += _walk(root, ahead, seen)
    component = [-1] * count
    seen = [False] * count
    for root in reversed(finished):
        for node in _walk(root, back, seen):
            component[node] = root
    return component


def _walk(root: int, targets: Sequence[Sequence[int]], seen: list[bool]) -> list[int]:
    """What can be reached from ``root`` and was not seen before, in the order in which a depth-first walk leaves it."""
    if seen[root]:
        return []
    seen[root] = True
    left: list[int] = []
    path = [(root, iter(targets[root]))]
    while path:
        node, remaining = path[-1]
        following = next((target for target in remaining if not seen[target]), None)
        if following is None:
            left.append(node)
            path.pop()
        else:
            seen[following] = True
            path.append((following, iter(targets[following])))
    return left

/** How well people do at the same task: the ceiling that stands above triplet accuracy where votes were kept. */

/**
 * By row: how far each annotator's vote agrees with the majority of the others, averaged over the annotators; 1 where all
 * agree. Where the others' votes tie, naming one of the t at the top counts 1 ⁄ t: they would have said so one time in t.
 * NaN for fewer than two votes. `weightedMean` of it is the accuracy of one person against the rest.
 * Rows that were chosen by agreement (`min_agreement`) have more of it than the dataset.
 * @param ratings by row, `rating/all`: for each annotator the odd one out, 1 to 3.
 */
export function agreementWithOthers(ratings: Iterable<ArrayLike<number>>): Float64Array {
  return Float64Array.from([...ratings], (votes) => {
    if (votes.length < 2) return Number.NaN;
    const counts = countVotes(votes);
    let agreed = 0;
    for (const [answer, count] of counts) {
      const others = [...counts].map(([other, votesOf]) => (other === answer ? votesOf - 1 : votesOf));
      const most = Math.max(...others);
      if (count - 1 === most) agreed += count / others.filter((votesOf) => votesOf === most).length;
    }
    return agreed / votes.length;
  });
}

/**
 * By row: the share of votes that name what most name. No answer to the row agrees with more of its votes: that is the
 * ceiling of a score that counts agreement with single votes. NaN without votes.
 */
export function majorityVoteShare(ratings: Iterable<ArrayLike<number>>): Float64Array {
  return Float64Array.from([...ratings], (votes) =>
    votes.length === 0 ? Number.NaN : Math.max(...countVotes(votes).values()) / votes.length,
  );
}

function countVotes(votes: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (let at = 0; at < votes.length; at++) counts.set(votes[at]!, (counts.get(votes[at]!) ?? 0) + 1);
  return counts;
}

//! Holm's correction of p values for multiple tests.

/// Adjusts p values by Holm's step-down method (Holm 1979) and keeps their order: the smallest of m is multiplied by m, the next by
/// m − 1 and so on; none ends up below a smaller one, and none above 1. Rejecting all hypotheses with an adjusted p value of at most
/// α makes any false rejection at all no more likely than α, whether or not the tests are independent. NaN counts as 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut floor = 0.0f64;
    for (rank, index) in order.into_iter().enumerate() {
        floor = floor.max(((p.len() - rank) as f64 * p[index]).min(1.0));
        adjusted[index] = floor;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(p: &[f64], expect: &[f64]) {
        let got = holm(p);
        assert_eq!(got.len(), expect.len());
        assert!(got.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-12), "{p:?} gave {got:?}, not {expect:?}");
    }

    #[test]
    fn adjusted_values_match_hand_computed_ones() {
        check(&[], &[]);
        check(&[0.03], &[0.03]);
        check(&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]);
        check(&[0.02, 0.02, 0.02], &[0.06, 0.06, 0.06]);
        check(&[0.9, 0.001, 0.6], &[1.0, 0.003, 1.0]);
        check(&[f64::NAN, 0.01], &[1.0, 0.02]);
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_the_order_and_are_not_lower(p in proptest::collection::vec(0.0f64..=1.0, 1..40)) {
            let adjusted = holm(&p);
            for (i, first) in p.iter().enumerate() {
                prop_assert!(*first <= adjusted[i] && adjusted[i] <= 1.0);
                for (j, second) in p.iter().enumerate() {
                    prop_assert!(first > second || adjusted[i] <= adjusted[j]);
                }
            }
        }

        #[test]
        fn holm_rejects_what_bonferroni_rejects(p in proptest::collection::vec(0.0f64..=1.0, 1..40), alpha in 0.0f64..1.0) {
            for (raw, adjusted) in p.iter().zip(holm(&p)) {
                prop_assert!(raw * p.len() as f64 > alpha || adjusted <= alpha);
            }
        }
    }
}

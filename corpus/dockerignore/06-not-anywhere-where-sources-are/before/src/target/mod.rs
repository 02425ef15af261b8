// the target of a payment
